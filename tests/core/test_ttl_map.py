"""What is held for a while, and only so much of it."""

from bot.core.ttl_map import TtlMap


def test_a_value_is_held_until_its_time_is_over() -> None:
    held: TtlMap[str, int] = TtlMap(10.0, 5)
    held.put("a", 1, now=100.0)
    assert held.get("a", 109.9) == 1
    assert held.get("a", 110.0) is None
    assert held.get("b", 100.0) is None


def test_a_newer_value_begins_anew_and_a_forgotten_one_is_gone() -> None:
    held: TtlMap[str, int] = TtlMap(10.0, 5)
    held.put("a", 1, now=100.0)
    held.put("a", 2, now=105.0)
    assert held.get("a", 112.0) == 2
    held.forget("a")
    held.forget("a")
    assert held.get("a", 112.0) is None


def test_the_oldest_goes_when_there_are_too_many() -> None:
    held: TtlMap[int, int] = TtlMap(10.0, 3)
    for number in range(5):
        held.put(number, number, now=1.0)
    assert [number for number in range(5) if held.get(number, 2.0) is not None] == [2, 3, 4]
