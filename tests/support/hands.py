"""How a person works a page: with a mouse, with a thumb, or with nothing but a keyboard."""

from playwright.sync_api import Locator, Page

_MOST_STOPS = 400
_HAS_FOCUS = "e => e === document.activeElement"
_RING = """e => { const s = getComputedStyle(e), box = e.getBoundingClientRect();
  return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2
    && box.bottom > 0 && box.top < innerHeight; }"""


class Mouse:
    """Clicks, and types where it clicked."""

    def press(self, target: Locator) -> None:
        """A button, a link, a summary or a box to tick."""
        target.click()

    def write(self, target: Locator, text: str) -> None:
        """Put a text in place of what stands in the field."""
        target.click()
        target.fill(text)

    def choose(self, target: Locator, value: str) -> None:
        """An option of a list, by its value."""
        target.select_option(value)


class Thumb(Mouse):
    """Taps. What is not on the screen is scrolled to, as a thumb does."""

    def press(self, target: Locator) -> None:
        target.tap()

    def write(self, target: Locator, text: str) -> None:
        target.tap()
        target.fill(text)


class Keys:
    """Tab, Enter, Space, arrows and letters; no pointer. Every stop that is used must be ringed
    and on the screen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        self._reach(target)
        is_box = target.evaluate("e => ['checkbox', 'radio'].includes(e.type)")
        self.page.keyboard.press("Space" if is_box else "Enter")

    def write(self, target: Locator, text: str) -> None:
        self._reach(target)
        if target.get_attribute("type") == "date":
            year, month, day = text.split("-")
            self.page.keyboard.type(month + day + year)
            return
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(text)

    def choose(self, target: Locator, value: str) -> None:
        self._reach(target)
        places = target.evaluate("e => [...e.options].map(o => o.value)")
        assert value in places, (value, places[:5])
        steps = places.index(value) - target.evaluate("e => e.selectedIndex")
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        assert target.input_value() == value

    def _reach(self, target: Locator) -> None:
        """Tab on, round the page once if need be."""
        target.wait_for()
        there = target.element_handle()
        for _ in range(_MOST_STOPS):
            if there.evaluate(_HAS_FOCUS):
                break
            self.page.keyboard.press("Tab")
        else:
            raise AssertionError(f"the Tab key does not lead to {target}")
        assert there.evaluate(_RING), f"no ring shows that the keyboard is at {target}"


Hand = Mouse | Keys
