"""Fields and words by which automatic answers and wishes to leave are known. Pure.

Of RFC 3834 and 2369, and of what mail programs, vacation services, filters and ticket systems are
seen to write, in the languages they come in.
"""

import re
from typing import Final


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


MACHINE_FIELDS: Final = (
    "list-id",
    "list-unsubscribe",
    "feedback-id",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-autoresponder",
    "x-mail-autoreply",
    "x-failed-recipients",
    "x-ms-exchange-inbox-rules-loop",
    "x-loop",
)
"""Fields that no person's letter has."""

CHALLENGE_FIELDS: Final = (
    "x-boxbe-verify",
    "x-challenge-response",
    "x-spamarrest",
    "x-tmda",
)
TICKET_FIELDS: Final = (
    "rt-ticket",
    "x-freshdesk-ticket-id",
    "x-helpscout-event",
    "x-jira-fingerprint",
    "x-kayako-ticketid",
    "x-otrs-ticketid",
    "x-rt-ticket",
    "x-zammad-ticket-id",
    "x-zendesk-from-account-id",
)

BULK: Final = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
"""Values of Precedence."""

NOBODY: Final = frozenset({"<>", "< >", "<mailer-daemon>"})
"""Return paths to which nothing goes back."""

MACHINE_SENDER: Final = re.compile(
    r"(?:^|<|\s)(?:mailer[-_.]?daemon|post[-_]?master|(?:do[-_.]?)?not?[-_.]?reply|bounces?|majordomo"
    r"|auto[-_.]?(?:reply|respond(?:er)?)|listserv|owner-[^@\s]{0,60}"
    r"|[^@\s<>]{1,60}-(?:admin|request|bounces|owner))(?:\+[^@\s]{0,60})?@",
    re.IGNORECASE,
)
DAEMON: Final = _any(r"mailer[-_.]?daemon", r"post[-_]?master", "mail delivery (?:sub)?system")
"""Senders of reports of mail servers."""

FAILED: Final = _any(
    r"\b[45]\.[0-7]\.\d{1,3}\b",
    "undeliver",
    "not (?:be )?delivered",
    r"delivery[^\n]{0,40} fail",
    r"fail[^\n]{0,40} deliver",
    "failure",
    "bounce",
    "rejected",
    "mailbox (?:is )?full",
    "quota",
    "unknown user",
    "user unknown",
    "no such (?:user|address|mailbox)",
    "does(?: not|n't) exist",
    "unzustellbar",
    "nicht zugestellt",
    "non remis",
    "no entregad",
)
"""Words of a mail that could not be delivered."""

AWAY_SUBJECT: Final = re.compile(
    r"(?:(?:re|aw|sv|vs|antw|rif|odp|ynt|回复|答复)\s*[:：]\s*)?\[?(?:"
    + "|".join(
        (
            r"auto(?:matic(?:ally generated)?|matic|mated)?[- ]?(?:reply|response|answer)",
            r"auto ?:",
            r"auto[- ]?re(?:ply|sponder)",
            r"out of (?:the )?office",
            r"ooo\b",
            r"on (?:vacation|holiday|leave)\b",
            r"vacation (?:reply|message|notice)",
            r"vacation\b",
            r"i(?: a|')m (?:away|out|on)\b",
            r"(?:currently )?away (?:from|until|on)\b",
            r"automatische (?:antwort|rückmeldung|beantwoording)",
            r"automatisch antwoord",
            r"abwesen(?:d|heit)",
            r"ich bin (?:nicht|im urlaub)",
            r"nicht im (?:büro|haus)",
            r"im urlaub",
            r"afwezig",
            r"r[ée]ponse automatique",
            r"absen(?:ce|t)\b",
            r"message d'absence",
            r"en cong[ée]",
            r"respuesta autom[áa]tica",
            r"fuera de (?:la )?oficina",
            r"ausente",
            r"resposta autom[áa]tica",
            r"fora do escritório",
            r"ausência",
            r"risposta automatica",
            r"fuori (?:sede|ufficio)",
            r"assen(?:te|za)",
            r"autosvar",
            r"automatisk svar",
            r"automaattinen vastaus",
            r"poissa(?:olo)?\b",
            r"frånvar",
            r"fravær",
            r"odpowied[źz] automatyczna",
            r"automatyczna odpowied[źz]",
            r"automatická odpověď",
            r"automatikus válasz",
            r"răspuns automat",
            r"otomatik (?:yanıt|cevap)",
            r"автоматический ответ",
            r"автоответ",
            r"автоматична відповідь",
            r"自動(?:返信|応答|回覆|回復)",
            r"不在(?:通知|連絡)?",
            r"自动(?:回复|答复)",
            r"休假",
            r"부재 ?중",
            r"자동 ?(?:응답|회신)",
            r"رد تلقائي",
            r"מענה אוטומטי",
        )
    )
    + ")",
    re.IGNORECASE,
)
"""How subjects of automatic answers of people begin."""

AWAY: Final = _any(
    "out of (?:the )?office",
    "(?:on|from) (?:vacation|holiday|annual leave|parental leave)",
    "away from my (?:mail|desk|office)",
    "will be (?:away|back|out)",
    "limited access to (?:my )?e?-?mail",
    "im urlaub",
    "nicht im (?:büro|haus)",
    "abwesen",
    "wieder (?:erreichbar|im büro)",
    "absent",
    "en congés?",
    "de retour le",
    "fuera de la oficina",
    "de vacaciones",
    "fuori ufficio",
    "in ferie",
    "de férias",
    "不在",
    "休假",
    "休暇",
    "출장",
    "휴가",
    "отпуск",
)
"""Words of people who are away."""

CHALLENGE_SUBJECT: Final = _any(
    "(?:confirm|verify) (?:your|you|delivery|this|sender)",
    "(?:verification|confirmation) (?:required|needed)",
    "action required to deliver",
    "anti-?spam",
    "sender verification",
    "nachricht bestätigen",
    "your (?:e-?mail|message) (?:requires|is awaiting|awaits)",
)
CHALLENGE: Final = _any(
    "spam ?arrest",
    "boxbe",
    "tmda",
    "challenge[-/ ]response",
    r"(?:confirm|verify)[^\n]{0,60}you(?:r|'re| are)? (?:e-?mail|message|a (?:human|real)|sent)",
    r"(?:confirm|verify) that you",
    "approved senders? list",
    r"(?:click|follow)[^\n]{0,60}(?:have|get) your (?:message|e-?mail) delivered",
    "one[- ]time (?:verification|confirmation)",
    r"bestätigen sie[^\n]{0,60}(?:absender|nachricht)",
)
"""Words of filters that want an answer before they let a mail pass."""

TICKET: Final = _any(
    r"[\[(#]?\b(?:ticket|case|request|vorgang|anfrage|incident|issue)\b"
    r" ?(?:id|no\.?|number|nr\.?)? ?[:#]{1,2} ?[\w-]{2,}",
    r"\[#?[a-z]{2,10}-\d+\]",
    r"\b(?:ticket|request|case)\b[^\n]{0,40}(?:received|created|opened)",
)
"""Subjects of ticket systems."""

LEAVE: Final = frozenset(
    (
        "unsubscribe",
        "unsubscribe me",
        "unsubscribe please",
        "please unsubscribe",
        "please unsubscribe me",
        "unsubscribe from this list",
        "unsubscribe me from this list",
        "please unsubscribe me from this list",
        "cancel my subscription",
        "remove",
        "remove me",
        "please remove me",
        "remove me from this list",
        "remove me from your list",
        "please remove me from this list",
        "please remove me from your list",
        "please remove me from your mailing list",
        "take me off",
        "take me off this list",
        "take me off your list",
        "opt out",
        "optout",
        "opt-out",
        "stop",
        "signoff",
        "abmelden",
        "abbestellen",
        "austragen",
        "bitte abmelden",
        "bitte abbestellen",
        "bitte austragen",
        "kündigen",
        "newsletter abbestellen",
        "newsletter abmelden",
        "keine mails mehr",
        "désabonner",
        "se désabonner",
        "désabonnez-moi",
        "désinscrire",
        "désinscrivez-moi",
        "désinscription",
        "baja",
        "dar de baja",
        "darse de baja",
        "cancelar suscripción",
        "cancelar inscrição",
        "descadastrar",
        "cancellami",
        "disiscriviti",
        "annulla iscrizione",
        "afmelden",
        "uitschrijven",
        "avregistrera",
        "wypisz",
        "wypisz mnie",
        "отписаться",
        "отписать",
        "退订",
        "取消订阅",
        "配信停止",
        "購読解除",
        "수신거부",
        "구독취소",
    )
)
"""Whole lines of people who want to leave: without case, and without punctuation around them."""
