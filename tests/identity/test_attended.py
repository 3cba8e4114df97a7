"""Calls made one after another in one thread: who gives one up holds up nobody."""

import threading
import time

import pytest

from callscreen.identity.attended import Line, Stuck


def test_what_a_call_gives_or_raises() -> None:
    line = Line("test")

    def late() -> None:
        raise TimeoutError("of the call's own")

    assert line.do(lambda: threading.current_thread().name, 5.0) == "test"
    with pytest.raises(ZeroDivisionError):
        line.do(lambda: 1 // 0, 5.0)
    with pytest.raises(TimeoutError, match="own"):
        line.do(late, 5.0)
    assert line.do(lambda: 7, 5.0) == 7


def test_calls_are_made_one_after_another() -> None:
    line, inside, most = Line("test"), 0, 0

    def call() -> None:
        nonlocal inside, most
        inside += 1
        time.sleep(0)  # another thread has its turn
        most = max(most, inside)
        inside -= 1

    threads = [
        threading.Thread(target=lambda: [line.do(call, 5.0) for _ in range(100)]) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == 1


def test_who_asks_behind_one_that_hangs_is_refused_at_once() -> None:
    line, end, begun = Line("test"), threading.Event(), threading.Event()
    done: list[int] = []

    def hang() -> None:
        begun.set()
        end.wait(20)

    while not begun.is_set():  # where it had not begun it was taken back
        with pytest.raises(Stuck):
            line.do(hang, 0.01)
    for each in range(5):
        with pytest.raises(Stuck):
            line.do(lambda each=each: done.append(each), 60.0)  # type: ignore[misc]
    end.set()
    assert line._hanging is not None
    with line._hanging.running:  # it has come back
        pass
    assert line.do(lambda: done, 5.0) == []  # what was refused was not made
