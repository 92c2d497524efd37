"""A bad network between daemons on loopback: each link is a port that daemons dial instead of the far end's own.

What it does wrong is switched by the test while it runs, and takes hold of connections that stand as of those to come:

    delay, jitter   s, each way; order is kept
    stall, stall_s  chance a piece is lost, which over TCP is a pause of so long and then everything late
    rate            bytes a second, each way
    blackout        nothing passes, nothing is refused: what is under way waits
    half_open       the dialler's side stands and takes what it is sent, the far side is gone
    refuse          new connections are reset at once
    flip            chance that a piece has one bit turned
    truncate        chance that a piece is cut and its connection ended cleanly

and at once: reset() ends every connection with RST, cut() with FIN; not those half open, of which nobody may tell."""

import asyncio
import random
import socket
import struct
import threading

CALM = dict(delay=0.0, jitter=0.0, stall=0.0, stall_s=1.0, rate=0, blackout=False, half_open=False, refuse=False, flip=0.0, truncate=0.0)
PIECE = 4096
HELD_PIECES = 64        # a side that is read faster than it can be passed on is read no further


class Link:
    """One port in front of one far port."""

    def __init__(self, proxy, port, seed):
        self.proxy, self.port, self.chance = proxy, port, random.Random(seed)
        self.is_ = dict(CALM)
        self.pairs, self.running = set(), set()
        self.calls = self.bytes = self.flips = self.cuts = self.stalls = 0
        self.changed = None         # an event of the loop: somebody switched something

    def set(self, **what):
        """Switches faults on or off, from any thread; what is not named stays."""
        assert set(what) <= set(CALM), what

        def switch():
            self.is_.update(what)
            self.changed.set()
            self.changed = asyncio.Event()
            if self.is_["half_open"]:
                for pair in list(self.pairs):
                    pair.drop_far()
        self.proxy.call(switch)

    def calm(self):
        self.set(**CALM)

    def reset(self):
        self.proxy.call(lambda: [pair.end(rst=True) for pair in list(self.pairs) if not pair.lost])

    def cut(self):
        self.proxy.call(lambda: [pair.end(rst=False) for pair in list(self.pairs) if not pair.lost])

    async def listen(self):
        self.changed = asyncio.Event()
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0, limit=PIECE)
        self.at = self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.calls += 1
        pair, tasks = Pair(self, writer), []
        self.pairs.add(pair)
        self.running.add(asyncio.current_task())        # the loop itself holds tasks only weakly
        try:
            if self.is_["refuse"]:
                pair.end(rst=True)
                return
            await self.until(lambda: not self.is_["blackout"])
            far_reader = None
            if not self.is_["half_open"]:
                far_reader, pair.far = await asyncio.open_connection("127.0.0.1", self.port, limit=PIECE)
            ways = [Way(pair, reader, outward=True)] + ([Way(pair, far_reader, outward=False)] if far_reader else [])
            tasks = [asyncio.ensure_future(t) for w in ways for t in (w.take(), w.give())]
            await asyncio.gather(*tasks)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for t in tasks:
                t.cancel()
            pair.end(rst=False)
            self.pairs.discard(pair)
            self.running.discard(asyncio.current_task())

    def slow(self):
        return any(self.is_[f] for f in ("delay", "jitter", "stall", "rate"))

    async def until(self, look):
        while not look():
            await self.changed.wait()


class Pair:
    """Two connections that are to look like one."""

    def __init__(self, link, near):
        self.link, self.near, self.far = link, near, None
        self.ended = self.lost = False

    def end(self, rst):
        self.ended = True
        for writer in (self.near, self.far):
            if not writer:
                continue
            if rst:
                s = writer.get_extra_info("socket")
                if s is not None and s.fileno() >= 0:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()

    def drop_far(self):
        """The far end is gone, and nobody tells the dialler."""
        self.lost = True
        if self.far:
            far, self.far = self.far, None
            far.transport.abort()


class Way:
    """One direction of one pair: pieces wait in order until they are due."""

    def __init__(self, pair, reader, outward):
        self.pair, self.link, self.reader, self.outward = pair, pair.link, reader, outward
        self.held = asyncio.Queue(HELD_PIECES)
        self.due = 0.0

    def to(self):
        return self.pair.far if self.outward else self.pair.near

    async def take(self):
        try:
            while not self.pair.ended:
                data = await self.reader.read(PIECE)
                await self.held.put((self.when(len(data)), data))
                if not data:
                    return
        except OSError:
            await self.held.put((0.0, b""))

    def when(self, size):
        f, now = self.link.is_, asyncio.get_running_loop().time()
        due = now + f["delay"] + f["jitter"] * self.link.chance.random()
        if self.link.chance.random() < f["stall"]:
            due += f["stall_s"]
            self.link.stalls += 1
        self.due = max(due, self.due) + (size / f["rate"] if f["rate"] else 0)
        return self.due

    def spoil(self, data):
        f, chance = self.link.is_, self.link.chance
        if chance.random() < f["flip"]:
            hurt = bytearray(data)
            hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
            self.link.flips += 1
            data = bytes(hurt)
        if chance.random() < f["truncate"]:
            self.link.cuts += 1
            return data[:chance.randrange(len(data))], True
        return data, False

    async def give(self):
        loop, last = asyncio.get_running_loop(), False
        while not last:
            due, data = await self.held.get()
            while (left := due - loop.time()) > 0 and self.link.slow():
                try:
                    await asyncio.wait_for(self.link.changed.wait(), left)
                except asyncio.TimeoutError:
                    break
            await self.link.until(lambda: not self.link.is_["blackout"] or self.pair.ended)
            to = self.to()
            if not data and not (self.outward and to is None):
                break
            if to is None:
                if not data or self.pair.ended:
                    break
                continue            # half open: swallowed
            data, last = self.spoil(data)
            self.link.bytes += len(data)
            to.write(data)
            await to.drain()
        if not self.pair.ended and (self.outward or self.pair.far is not None):
            self.pair.end(rst=False)


class Proxy:
    """All links, on a loop and thread of their own."""

    def __init__(self, seed):
        self.seed, self.links = seed, []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def call(self, what):
        done = threading.Event()

        def now():
            try:
                what()
            finally:
                done.set()
        self.loop.call_soon_threadsafe(now)
        assert done.wait(20), "the proxy does not answer"

    def link(self, port):
        made = Link(self, port, self.seed * 1000 + len(self.links))
        asyncio.run_coroutine_threadsafe(made.listen(), self.loop).result(20)
        self.links.append(made)
        return made

    def close(self):
        def end():
            for link in self.links:
                link.server.close()
                for task in list(link.running):
                    task.cancel()
        self.call(end)
        asyncio.run_coroutine_threadsafe(self.ended(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)

    async def ended(self):
        await asyncio.gather(*(t for link in self.links for t in link.running), return_exceptions=True)
