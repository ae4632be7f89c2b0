"""What the queue may ask for (`guardia.common.broker`)."""

from accounts import rates


def forget_empty_buckets() -> None:
    rates.forget_empty_buckets()
