"""Words by which the reason of a refusal is understood, for those that delivery's table does not
tell apart. Pure.

Patterns are looked for without regard to case, in words from which addresses and links were taken
out. Beside English some languages in which servers answer.
"""

from service.delivery.answer_words import words

NOBODY = words(
    r"\b(user|recipient|addressee|mailbox|account|alias|userid|username|address|person|member)"
    r"(?: name| address| id| account)?(?: \S{1,80})??(?: is| was| does| are)? ?,? ?"
    r"(unknown|not (be )?(found|known|recogni[sz]ed|exist\w*|registered|listed|valid)|invalid|"
    r"nonexist[ae]nt|non-exist[ae]nt|no longer (exists?|valid|on|with|here|in use)|"
    r"can ?not be found)",
    r"\b(unknown|no such|invalid|bad|nonexistent|non-existent|not an? (valid|known|local)|"
    r"undefined|illegal) "
    r"(or illegal )?(e-?mail )?(local |virtual |final delivery |mail ?)?"
    r"(user|recipient|addressee|mailbox|address|account|person|alias|userid|local[ -]part)",
    r"\b(no|not a) (mailbox|one|user|account|recipient|mail box)( here| by that name| with that"
    r"| of that| exists| found)",
    r"(mailbox|account|user|address|recipient|inbox|person)( \S{1,80})??( that you tried to reach)?"
    r" (does ?n[o']t|did not|do not|doesn't) exist",
    r"no mailbox for|nobody (here )?by that name|"
    r"(address|mailbox) (that )?you entered could ?n[o']t be found",
    r"not our (user|customer|client)|no valid recipients?|not in my validrcptto|cuda_nsu|"
    r"unable to find (the |that )?(user|recipient|mailbox)",
    r"does ?n[o']t have an? .{0,60}account",
    r"(utilisateur|destinataire|adresse|compte) .{0,20}(inconnue?|inexistante?|n'existe pas)",
    r"(usuario|destinatario|buz[oó]n|cuenta) .{0,20}(desconocid[oa]|no existe|inexistente)",
    r"(usu[aá]rio|destinat[aá]rio|conta) .{0,20}(desconhecid[oa]|n[aã]o existe|inexistente)",
    r"(empf(ä|ae|a)nger|benutzer|postfach|adresse) .{0,20}(unbekannt|existiert nicht)",
    r"(utente|indirizzo|casella) .{0,20}(sconosciut[oa]|non esiste|inesistente)",
    r"unbekannter? (empf(ä|ae|a)nger|benutzer)|n([aã])?o existe|n'existe pas",
)
"""The mailbox was named as one that nobody has; alone it is not enough, see ``reasons``."""

MAYBE_NOBODY = words(
    r"lookup (failure|failed|error)|not (allowed|permitted|authori[sz]ed) to",
)
"""Said of a directory that did not answer, or of what we may do."""

NOBODY_HERE = words(
    r"\bno (such )?(user|mailbox|one|account|recipient|person)( \S{1,80})?? (here|by that name)",
    r"recipient name is not recogni[sz]ed|recip(ient)?notfound|recipient not found by",
    r"(non r[eé]pertori[eé]|no se encuentra) .{0,20}(annuaire|directorio) (de )?domino",
    r"not listed in (the )?(domino|public name|address book)|not listed in public",
    r"invalid final delivery userid|no account by that name|unknown or illegal alias",
    r"unknown local[ -]part .{0,80}in domain",
    r"local user .{0,200}\b(not known|unknown|no such user)",
    r"(address|mailbox|account) (is )?(wrong or )?no longer (in use|valid|exists?)",
    r"(user|mailbox|address|account)( \S{1,80})?? (does ?n[o']t|doesn't) exist "
    r"(here|on (this|our)|at this)",
)
"""Words of a system that speaks of its own mailboxes: enough alone."""

FULL_TOO = words(
    r"(mailbox|inbox|maildir|account|user) .{0,40}(exceed\w*|reached) .{0,20}"
    r"(allowed|maximum|its|local|storage|size|limit)|insufficient (mailbox )?storage",
    r"mailbox .{0,40}exceeded|too much mail|zu ?viele mails|postfach .{0,20}voll|bo[iî]te "
    r".{0,30}pleine|buz[oó]n .{0,20}lleno|casella .{0,20}piena|caixa .{0,30}cheia",
)
DISABLED = words(
    r"(account|mailbox|user|recipient|mail ?box|domain)( \S{1,80})??( that you tried to reach)?"
    r"( is| has been| was| currently| temporarily| or domain is|\.)* ?"
    r"(disabled|suspended|inactive|deactivated|discontinued|locked|frozen|terminated|closed|"
    r"on hold|not active|no longer active|expired|blocked due to inactivity)",
    r"\b(disabled|suspended|inactive|deactivated|locked|frozen) "
    r"(account|mailbox|user|recipient)",
    r"recipient .{0,20}suspend|due to inactivity|no longer accepts? (e-?)?mail",
)
MOVED = words(
    r"(user|recipient|mailbox|account|address|person)( \S{1,80})?? (has )?(moved|changed)",
    r"has (been )?(replaced by|moved to)|please (try|use) (the )?new address|"
    r"no longer on server|user not local; please",
)
DOMAIN_GONE = words(
    r"\b(host|domain)( name)?( or domain name)?( \S{1,80})?? (is |was )?"
    r"(unknown|not (found|exist\w*)|could ?n[o']t be found|does ?n[o']t exist)",
    r"(unknown|no such|illegal|invalid|nonexistent|bad destination) (mail )?"
    r"(host/)?(host|domain)( name)?( found)?|\bnxdomain\b",
    r"name or service not known|no address associated with (host)?name",
    r"unroute?able (mail )?(domain|address)|host lookups? failed permanently",
    r"mx records? point to non-?existent|no route found to domain",
    r"unknown (host|domain)|domain does not exist",
)
MAYBE_GONE = words(r"(domain|host|address) may not exist", r"your domain", r"dns check")
"""Said of a sender's domain."""

NO_MAIL_HERE = words(
    r"(host|domain|server)( \S{1,80})??( /domain)? (does ?n[o']t|do not) accept (any )?(e-?)?mail"
    r"(?! (from|without|that|with|to|unless|using|over|for))",
    r"no mx( record)? found|null ?mx|recipient address has null mx|mail receiving disabled",
    r"name server: \.: host not found",
    r"no host found for existing smtp connection",
)
EXPIRED = words(
    r"(message|delivery|mail|queue|retry)( time| lifetime| period)?( has| was)?"
    r"( been)? ?(timed out|timeout exceeded|expired|too long in)",
    r"in (the )?queue (for )?too long|could not be delivered for (more than )?[\d.]+",
    r"not delivered within|(failed|after) \d+ attempts|aborted after|giving up|"
    r"within \d+ days|not been collected after|delivery time expired|undeliverable for \d+",
)
NETWORK = words(
    r"connect(ion)? (\w+ ){0,3}(timed? ?out|refused|reset|lost|closed|dropped|failed)",
    r"(network|connection|communication|dns) (error|failure|problem|timeout)",
    r"(no route to|can ?not (connect|find|reach)|can't connect|couldn't (find|connect)|"
    r"not accept our requests to connect|not able to establish|wasn't able to establish|"
    r"unable to connect)",
    r"(host|server|destination)( \S{1,80})?? (is )?(not (respond\w*|reachable)|unreachable|down|"
    r"unavailable)",
    r"mail (for \S+ )?loops? back|hop count|too many hops|too many received|"
    r"(mail|routing|forwarding|possible) loop",
    r"lost connection|no answer from host|bad gateway|could not find a gateway",
)
SYSTEM = words(
    r"file system",
    r"(local|system|internal|server|service|processing|configuration|data format) ?"
    r"(\w+ )?(error|failure|problem)|service (currently )?(not available|unavailable)",
    r"temporar(y|ily) (failure|unavailable|error)|can'?t create|cannot open|i/o error|"
    r"(create|open|write|rename|lock) .{0,80}permission denied",
    r"duplicated message-id|try again later|resources",
)
AGENT = words(
    r"command output|pipe to \||procmail|maildrop|vacation program|delivery program",
    r"unknown mailer error|mail(er)? (program )?(exited|died)",
)
FILTERED = words(
    r"recipient'?s? preferences|email preferences of|(refused|rejected|blocked) by "
    r"(the )?(recipient|user|mailbox owner)",
    r"not accepting (mail|messages|email)( from)?|user (has )?(refused|rejected|filtered)",
    r"(recipient|user).{0,30} only accepts|(user|recipient) filter",
    r"number of messages in recipient's mailbox",
)
AUTHENTICATION = words(
    r"\bspf\b|\bdkim\b|\bdmarc\b|unauthenticated|sender[ -]?id\b|purported responsible",
    r"(fail|pass|not (be )?|required? )\w* .{0,20}authentication (check|level|requirement)",
    r"required authentication level|authentication[- ]results",
)
NO_NAME = words(
    r"reverse[ -](dns|mapping|lookup|address)|\bptr\b|\br-?dns\b|cannot (find|resolve) your",
    r"\b(helo|ehlo) (command|name|host|hostname|argument|string|rejected|is)|"
    r"(invalid|bad|forged|your) (helo|ehlo)\b|fully[- ]qualified",
    r"(mismatch\w*|does not match) .{0,20}(client )?(ip|host)",
    r"dynamic (ip|host|address)|generic (ptr|host|hostname)|hostname (is )?(not|could)",
    r"cannot find your hostname|no (dns|host) ?name (for|of) your",
)
TOO_FAST = words(
    r"too (many(?! (unwanted|hops|\W?received))|fast|much)",
    r"(rate|volume|frequency|connection|concurren\w+|session|hourly|daily)"
    r"[ -]?(is )?(limit\w*|exceeded|control\w*)|throttl|slow(er)? down|unusual rate|"
    r"unexpected volume|frequency limited|exceed\w* .{0,60}(per|an|this|in one) (hour|minute|day)",
)
REPUTATION = words(
    r"reputation|(black|block|deny|reject) ?-?list|\b(dns|r|s|ur|x)bl\b|dnsbl|"
    r"spamhaus|spamcop|barracuda|senderscore|sorbs|cloudmark|uribl|surbl",
    r"banned|\b(ip|address|network|sender|client)s?( \S{1,80})??( is| was| has been|"
    r" are)? ?(blocked|denied|(?<!not )listed|blacklisted|unwelcome)",
    r"block(ed|ing)? (your|this|ip|sender|by|from|using|because)|(?<!not )listed (in|at|by|on)\b",
    r"user complaints|complaint rate|poor|unwanted messages|abus(e|ive)|"
    r"messages from \S+ (weren't sent|temporarily deferred)",
)
SPAM = words(
    r"spam|unsolicited|\bube\b|\buce\b|\bjunk\b|\bbulk\b|suspicious|phish|scam|"
    r"bad (url|link)|url in message|looks? like|considered (as )?unwanted",
)
VIRUS = words(r"virus|malware|infected|trojan|\bworm\b|malicious")
DISK = words(r"disk (space|full)|no space left|insufficient (system|disk)|out of memory")
CONTENT_ITSELF = words(r"because its content|content presents|potential(ly)? (security|harm)")
SECURITY_OF_CONTENT = words(
    r"content (presents|filter|reject|restrict|polic|not|error|is)|message content|"
    r"media (error|type)|attachment|forbidden (file|content|type)|conversion|"
    r"(message|mail|email) (was )?(rejected|refused) (due to|because of|for) (its )?content",
)
MALFORMED = words(
    r"rfc ?-?(2822|5322|2045|2047)|rfc ?822 compl|(not|non)[- ]?(rfc )?complian",
    r"(duplicate|multiple|missing|bad|invalid|malformed|illegal|too many(?! \W?received)) "
    r".{0,30}headers?|(?<!following )header (field|error|line)|8 ?-?bit|smtputf8",
    r"line (is )?too long|bare (lf|cr|<)|syntax error in (message|header)|mime (error|boundary)|"
    r"transcode|message format",
)
TOO_LARGE = words(
    r"(message|mail|e-?mail|size|length|content|file)( \S{1,40})??( is| was)? ?"
    r"(too (big|large|long)|exceed\w*)|exceed\w* .{0,50}(size|length) ?(limit)?|size limit|"
    r"(message|mail) size|too (big|large) (message|mail|for)|maximum (message )?size",
)
ENCRYPTION = words(r"starttls|\btls\b|\bssl\b|encrypt|certificate")
POLICY = words(
    r"polic(y|ies)|denied|not (authori[sz]ed|allowed|permitted|accepted)|prohibited|"
    r"security|restricted|administrative|forbidden|blocked|not welcome|"
    r"(transaction|message|mail|email)( was| is| has been)? "
    r"(rejected|refused|not accepted)|connections? not accepted|refused to accept|"
    r"rejected by|^ ?rejected|"
    r"requires? (moderat|approv|permission)|permission to post|mail rejete",
)
SENDER = words(
    r"sender (verify|verification|address|domain|id)? ?(is )?(rejected|denied|refused|invalid|not)",
    r"(bad|invalid|unverified|unknown|unroute?able|forged) -?(envelope |return )?"
    r"(sender|return path|from\b)",
    r"domain of sender|sender'?s? (address|domain)|sender (rejected|blocked|denied|not)",
    r"sender (address )?verif|verification failed|callout|return[- ]path",
    r"(address|domain) of (the )?sender|envelope sender|sending (mta|domain)",
)
