"""Words of servers by which an answer is understood where its codes do not tell. Pure.

Patterns are looked for without regard to case, in words from which addresses were taken out.
"""

import re


def words(*parts: str) -> re.Pattern[str]:
    """One pattern of several."""
    return re.compile("|".join(parts), re.IGNORECASE)


SENDING_LIMIT = words(
    r"daily (user |message |sending |smtp |relay )*(quota|limit)",
    r"(sending|send|message) (quota|limit) (was |is |has been )?(exceeded|reached)",
    r"(maximum|peak) (smtp )?(relay|sending|send) (rate|limit|quota)",
    r"throttling failure",
)
RELAYING = words(
    r"relay(ing)? (access )?(is )?(denied|not (allowed|permitted)|prohibited)",
    r"(unable|not permitted|not allowed|refuse|do not|don't) to relay",
    r"we do(n't| not) relay",
    r"authentication (is )?required",
    r"(must|need to|client was not) (be )?(authenticate|sign in|log ?in)",
    r"not (authori[sz]ed|allowed|permitted) to (use|send (as|from|on behalf))|not owned by",
    r"permissions? to send as",
    r"send ?as ?denied",
)
SENDER = words(
    r"sender (verify|verification|address|domain)? ?(is )?(rejected|denied|refused|invalid|not)",
    r"(envelope|return|bad|invalid|unverified|unknown) ?-?(sender|path|from)",
    r"sender rejected",
    r"mail from (domain|address|command)?",
)
OURS = words(
    r"spam",
    r"block(ed|ing)?\b|(block|black|deny|grey|gray) ?-?list",
    r"banned|reputation|polic(y|ies)|abus(e|ive)|unsolicited",
    r"\bspf\b|dkim|dmarc|unauthenticated|reverse dns|\bptr\b|\brdns\b|cannot find your",
    r"\brbls?\b|dnsbl|spamhaus|spamcop|barracuda|senderscore",
    r"too many|rate limit|throttl|client (host|ip)|frequency|\bhelo\b|access denied",
)
SLOWER = words(
    r"too (many|fast|much) ?(messages?|mails?|connections?|concurrent|sessions?|recipients?)?",
    r"rate[ -]limit|throttl|slow(er)? down|unusual rate|sending rate|message rate|mail rate",
    r"(connection|message|hourly|concurren\w+) (limit|quota|rate)",
    r"exceed\w* .{0,60}(an|per|in one) (hour|minute|day)",
)
GREYLISTED = words(r"gr[ea]y ?-?list", r"try again in \d+", r"postgrey", r"temporarily deferred")
PACE_OF_ONE = words(
    r"(receiv\w+|getting) (mail|messages?|email) (too (quickly|fast|much)|at a rate)",
    r"(user|recipient|mailbox|account).{0,60}(rate|too quickly|too many messages)",
    r"recipient thread limit",
)
FULL = words(
    r"quota|mailbox (is )?full|full mailbox|mailbox.{0,40}\bis full|(over|out of) (storage|space)",
    r"(mailbox|user|account|inbox).{0,40}(size limit|storage (limit|exceeded)|is full)",
    r"not enough (storage|space)|storage full|exceeded storage",
)
NOBODY = words(
    r"(user|recipient|mailbox|address|account|alias|person)( \S{1,320})?( is| does| was)? "
    r"(unknown|not exist|not found|unavailable|disabled|inactive|invalid|not known|rejected|"
    r"suspended|closed|not available|not listed|cannot be found|no longer)",
    r"(unknown|no such|invalid|bad|nonexistent|non-existent|not a valid|not a known) "
    r"(local |virtual |mail ?)?(user|recipient|mailbox|address|account|person|alias)",
    r"no (mailbox|one|user|account|recipient) (here|by that name|with that|of that)",
    r"doesn'?t (exist|have an? .{0,30}account)|does not exist",
    r"not our (user|customer)|user not local",
    r"account .{0,60}(has been |is )?(disabled|suspended|closed|deactivated)",
)
SIZE = words(r"too (big|large)", r"size", r"exceed")
BAD_CONTENT = words(r"virus|malware|infected|phishing", r"(bad|invalid|missing|malformed) header")
SHUT = words(r"shutting down|shut ?down|restart|service (is )?not available|server busy")
