"""The simulated broker behaves as the real one was measured to."""

from __future__ import annotations

import random

from tests.sim.broker import ABANDONED, FULL, SEEN_BEFORE, Broker, Consumer, Stream
from tests.sim.loop import VirtualLoop

WINDOW = 120.0
ACK_WAIT = 30.0


class At:
    """A broker with one stream and one consumer, and a hand on the clock."""

    def __init__(self, *, work_queue: bool = False, max_deliver: int = -1, seed: int = 1) -> None:
        self.loop = VirtualLoop()
        self.stream = Stream("INTAKE", WINDOW, work_queue=work_queue)
        rng = random.Random(seed)  # noqa: S311  # a seed
        self.broker = Broker(self.loop, rng, [self.stream])
        self.consumer = Consumer(self.stream, ACK_WAIT, max_deliver)
        self.broker.consumers["c"] = self.consumer

    def publish(self, name: str, payload: bytes = b"") -> int | None:
        return self.broker.publish("intake.x", payload, {"Nats-Msg-Id": name})

    def batch(self, *names: str, gap: bool = False) -> int:
        for number, name in enumerate(names[:-1], start=1):
            self.broker.part("intake.x", b"", self.headers(name, number))
        return self.broker.commit("intake.x", b"", self.headers(names[-1], len(names) + gap))

    def headers(self, name: str, number: int) -> dict[str, str]:
        return {"Nats-Msg-Id": name, "Nats-Batch-Id": "b", "Nats-Batch-Sequence": str(number)}

    def wait(self, seconds: float) -> None:
        self.loop.call_later(seconds, self.loop.stop)
        self.loop.run_forever()

    def take(self, most: int = 10) -> list[int]:
        given = self.consumer.take(most, self.loop.time(), self.broker.rng)
        return [message.seq for message, _ in given]

    def restart(self) -> None:
        self.broker.kill()
        self.broker.start()


def test_a_known_id_is_not_stored_again_whatever_it_carries() -> None:
    at = At()
    assert at.publish("a", b"one") == 1
    assert at.publish("a", b"other") is None
    at.wait(WINDOW)
    assert at.publish("a", b"other") == 2


def test_ids_outlive_a_restart_where_their_messages_do() -> None:
    for work_queue, again in ((False, None), (True, 2)):
        at = At(work_queue=work_queue)
        at.publish("a")
        at.take()
        at.consumer.acknowledge(1, at.loop.time())
        assert at.publish("a") is None
        at.wait(1.0)
        at.restart()
        assert at.publish("a") == again


def test_a_batch_is_stored_whole_or_not_at_all() -> None:
    at = At()
    assert at.batch("a", "b", "c") == 0
    assert at.batch("d", "b", "e") == SEEN_BEFORE
    assert at.batch("d", "e", gap=True) == ABANDONED
    at.stream.full = True
    assert at.batch("d", "e") == FULL
    assert len(at.stream.messages) == 3


def test_a_batch_that_a_restart_cuts_is_abandoned() -> None:
    at = At()
    at.broker.part("intake.x", b"", {"Nats-Batch-Id": "b", "Nats-Msg-Id": "a"})
    at.restart()
    assert at.broker.commit("intake.x", b"", at.headers("b", 2)) == ABANDONED


def test_a_kill_takes_back_the_acknowledgements_of_the_last_moments_only() -> None:
    came_back = 0
    for seed in range(50):
        at = At(seed=seed)
        for name in "abc":
            at.publish(name)
        at.take()
        at.consumer.acknowledge(1, at.loop.time())
        at.wait(0.2)
        at.consumer.acknowledge(2, at.loop.time())
        at.wait(0.05)
        at.restart()
        assert 1 in at.consumer.acked
        came_back += 2 in at.consumer.pending
    assert 10 < came_back < 40


def test_what_is_not_acknowledged_comes_again_before_or_behind_younger_messages() -> None:
    orders = set()
    for seed in range(20):
        at = At(seed=seed)
        at.publish("a")
        assert at.take() == [1]
        at.publish("b")
        at.wait(ACK_WAIT)
        orders.add(tuple(at.take()))
    assert orders == {(1, 2), (2, 1)}


def test_an_acknowledgement_of_an_earlier_delivery_counts_while_a_later_one_is_worked_on() -> None:
    at = At()
    at.publish("a")
    at.take()
    at.wait(ACK_WAIT)
    assert at.take() == [1]
    at.consumer.acknowledge(1, at.loop.time())
    at.wait(ACK_WAIT)
    assert at.take() == []


def test_a_message_is_stranded_after_its_last_delivery_and_told_of_only_when_met() -> None:
    at = At(max_deliver=2)
    at.publish("a")
    for _ in range(2):
        assert at.take() == [1]
        at.wait(ACK_WAIT)
    assert at.consumer.advisories == []
    assert at.take() == []
    assert at.consumer.advisories == [1]
    assert 1 in at.stream.messages


def test_a_lost_position_brings_everything_again() -> None:
    at = At()
    for name in "ab":
        at.publish(name)
    at.take()
    for seq in (1, 2):
        at.consumer.acknowledge(seq, at.loop.time())
    at.consumer.reset()
    assert at.take() == [1, 2]
