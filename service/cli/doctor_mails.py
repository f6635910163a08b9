"""What the doctor looks at in templates and mails."""

from collections.abc import Iterator

from service.cli.doctor_line import Check, failed
from service.cli.printing import tally
from service.delivery.override_folder import outgrown
from service.delivery.template_trial import examine
from service.errors import PaperpostError
from service.resources import resource_dir
from service.settings import Settings
from service.wiring import House, renderer_of


def templates() -> Check:
    """Whether ours are there."""
    try:
        folder = resource_dir("templates")
        count = sum(1 for _ in (folder / "email").glob("*/subject.txt"))
    except FileNotFoundError as error:
        return Check("templates", "fail", str(error), "Install Paperpost again.")
    if not count:
        return Check("templates", "fail", "no mail templates are there", "Install Paperpost again.")
    return Check("templates", "ok", f"{count} mails")


def own_templates(settings: Settings) -> Iterator[Check]:
    """The operator's templates: each fault a line; those made from an older text of ours."""
    if settings.templates_dir is None:
        return
    try:
        found = examine(renderer_of(settings))
    except PaperpostError as error:
        yield failed("own templates", error)
        return
    faults = [*found.faults, *outgrown(found.overrides)]
    for fault in faults:
        yield Check("own templates", fault.level, f"{fault.what} ({fault.where})", fault.next_step)
    if not faults:
        says = f"{tally(len(found.overrides), 'file')} in {settings.templates_dir}, tried in full"
        yield Check("own templates", "ok", says)


def mail_text(house: House) -> Check:
    """Whether a mail can be made, and as fast as it should."""
    rt = house.runtime
    rt.renderer.check()
    day = rt.clock().date()
    made = rt.renderer.render_notice("test", {"relay": "relay:25", "on": day}, "en")
    if not made.subject or not made.html or not made.text:
        return Check("mail texts", "fail", "the test mail renders empty", "Install it again.")
    languages = rt.catalogs.languages
    whole = {name: why for name in languages if (why := rt.press.refusal(name))}
    if whole:
        reason = next(iter(whole.values()))
        told = f"digests are rendered whole, which is slow ({', '.join(whole)}): {reason}"
        return Check("mail texts", "warn", told, 'See "Speed" in docs/templates.md.')
    return Check("mail texts", "ok", "a mail renders as HTML and text")
