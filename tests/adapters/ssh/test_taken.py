"""The output of a channel changes hands: every byte comes once, whenever it was read."""

from __future__ import annotations

import asyncio

import pytest

from grind.adapters.ssh.channel import Channel
from grind.adapters.ssh.door import Door
from grind.adapters.ssh.taken import Taken

# The greeting, and text in the same moment, a moment later, and after a while.
SAYS = 'printf "noise\\nword 0\\n$0"; printf one; sleep "$1"; printf two'


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("pause", ["0", "0.001", "0.01"])
def test_every_byte_comes_once(turns: int, pause: str) -> None:
    async def story() -> bytes:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", SAYS, "first ", pause), stdin=pipe, stdout=pipe, stderr=pipe
        )
        channel = Channel(Door("none"), process)
        got: list[bytes] = []
        over = asyncio.Event()

        def take(output: Taken, data: bytes) -> None:
            got.append(data)
            if output.ended:
                over.set()

        await channel.greeted("word")
        for _ in range(turns):
            await asyncio.sleep(0)
        await channel.take_output(take, 1 << 20)
        await over.wait()
        await channel.close()
        return b"".join(got)

    for _ in range(10):
        assert asyncio.run(story()) == b"first onetwo"
