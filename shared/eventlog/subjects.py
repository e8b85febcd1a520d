"""Where an entity's events stand: `care.<partition>.<category>.<entity>` in the stream `CARE_<partition>`."""

from hashlib import blake2b
from typing import NamedTuple

from shared.commands.base import Command


class EntityKey(NamedTuple):
    """One entity of the log."""

    partition: int
    category: str
    entity: str

    @property
    def subject(self) -> str:
        """The one subject that holds all of the entity's events."""
        return f"care.{self.partition}.{self.category}.{self.entity}"

    @property
    def stream(self) -> str:
        """The stream of the entity's partition."""
        return stream_of(self.partition)


def stream_of(partition: int) -> str:
    """Return the name of a partition's stream."""
    return f"CARE_{partition}"


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a participant id or identity key; stable for ever, as the data lies by it."""
    if partitions == 1:
        return 0
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % partitions


def key_of(command: Command, partitions: int) -> EntityKey:
    """Return the entity that a command is for."""
    return EntityKey(partition_of(command.partition_key, partitions), command.category, command.entity)


def parse_subject(subject: str) -> EntityKey:
    """Read a log subject; raises ValueError where it is not one."""
    care, partition, category, entity = subject.split(".")
    if care != "care":
        raise ValueError("The subject is not one of the log.")
    return EntityKey(int(partition), category, entity)
