# A tour of what CPython has in C: numbers, texts, containers, frames, threads.
import bisect, collections, csv, datetime, decimal, fractions, functools, hashlib, heapq, io, itertools, json, math
import pickle, queue, random, re, statistics, struct, sys, threading, time, traceback, unicodedata, zlib
from dataclasses import dataclass, field
from xml.etree import ElementTree


def section(name):
    print("==", name)


def numbers():
    section("numbers")
    n = 1
    for i in range(1, 400):
        n *= i
    print(n % (10**40 + 7), len(str(n)), pow(3, n % 10**30, 2**521 - 1) & 0xFFFFFFFFFFFF)
    print(math.isqrt(10**101), math.comb(300, 77), n.bit_length())
    print([math.sin(x / 7) for x in range(5)], math.fsum(1 / k for k in range(1, 2000)), math.gamma(7.5))
    print(1e308 * 10, float("nan"), -0.0, 0.1 + 0.2, (1 + 2j) ** 3, repr(1e22), 2.5e-8, round(2.675, 2))
    decimal.getcontext().prec = 80
    d = decimal.Decimal(2)
    print(d.sqrt(), d.ln(), decimal.Decimal("1e-30").exp(), decimal.Decimal(1) / 7)
    print(sum((fractions.Fraction(1, k) for k in range(1, 60)), fractions.Fraction(0)))
    print(statistics.pstdev(range(100)), statistics.median([3, 1, 2]))


def texts():
    section("texts")
    words = re.findall(r"(?P<a>\w+?)(?:ly|ed)?\b", "he quickly jumped over the rightly named lazily sleeping dog")
    print(words, re.sub(r"(\d+)-(\d+)", lambda m: f"{int(m[1]) * int(m[2]):,}", "12-34 56-78 999-1001"))
    print(re.fullmatch(r"(a|ab)(c|bcd)(d*)", "abcd").groups(), re.split(r"(?<=[.!?])\s+", "One. Two! Three? Four"))
    s = "Straße ĳ Ǆ ﬁ Ωμέγα 日本語 𝔘𝔫𝔦"
    print(ascii([s.upper(), s.casefold(), unicodedata.normalize("NFKD", s), s.encode("utf-16-le")[:9]]))
    print("日本語".encode("euc_jp"), "中文".encode("gb18030"), "한국".encode("cp949"), b"\xa4\xa4".decode("big5").encode())
    print(f"{3.14159:>12.3e}|{255:#010b}|{'x':^7}|{1234567:,}|{0.5:%}|{-7 // 2}|{-7 % 3}")
    print(json.dumps(json.loads('{"a": [1, 2.5, true, null, "\\u00e9\\n"], "b": {"c": -1e-7}}'), sort_keys=True, indent=1))
    out = io.StringIO()
    csv.writer(out).writerows([[1, "a,b", 'q"q'], [2.5, "line\nbreak", None]])
    print(repr(out.getvalue()), list(csv.reader(io.StringIO(out.getvalue()))))
    tree = ElementTree.fromstring("<r><i n='1'>one</i><i n='2'>t&amp;o<b/></i></r>")
    print([(i.get("n"), i.text, len(i)) for i in tree.iter("i")], ElementTree.tostring(tree))


@dataclass(order=True)
class Item:
    weight: float
    name: str = field(compare=False)
    tags: list = field(default_factory=list, compare=False)


class Meta(type):
    def __new__(cls, name, bases, space):
        space["shout"] = lambda self: name.upper() + "!" * len(bases)
        return super().__new__(cls, name, bases, space)


class Base(metaclass=Meta):
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    def __getattr__(self, name):
        return f"no {name} in {self.x}"

    def __matmul__(self, other):
        return self.x * other.x


class Child(Base):
    def __del__(self):
        gone.append(self.x)


gone = []


def objects():
    section("objects")
    heap = []
    for i in range(60):
        heapq.heappush(heap, Item(math.cos(i), f"i{i}"))
    print([heapq.heappop(heap).name for _ in range(9)], Item(1.0, "a"))
    c = Child(6)
    print(c.shout(), c.missing, c @ Base(7))
    del c
    print(gone)
    shapes = [("circle", 2), ("box", 2, 3), {"kind": "dot", "at": [1, 2]}, 5]
    for shape in shapes:
        match shape:
            case ("circle", r):
                print("circle", r)
            case ("box", w, h) if w < h:
                print("box", w * h)
            case {"kind": kind, "at": [x, *rest]}:
                print(kind, x, rest)
            case _:
                print("other", shape)
    print(collections.Counter("abracadabra").most_common(3), sorted({i * i % 23 for i in range(50)}))
    data = {"k": [1, (2, 3)], "s": {4, 5}, "b": b"\0\xff", "i": Item(2.0, "p", ["q"]), "n": 10**50}
    print([pickle.loads(pickle.dumps(data, p)) == data for p in range(6)], hash((1, 2.5, -7)), hash(10**40))
    print(struct.pack("<hIqd3s", -2, 7, 1 << 40, 0.1, b"xyz"), struct.unpack(">HhB", b"\xff\xfe\x80\x01\x09"))
    print(datetime.datetime(2024, 2, 28, 23, 59) + datetime.timedelta(minutes=2), datetime.date(1, 1, 1).isoformat())
    print([bisect.bisect(range(0, 1000, 7), i) for i in (0, 6, 7, 500)], [*itertools.permutations("abc", 2)])


def generators():
    section("generators")

    def primes():
        sieve, n = {}, 2
        while True:
            for p in sieve.pop(n, []):
                sieve.setdefault(n + p, []).append(p)
            if not any(n % p == 0 for p in itertools.takewhile(lambda q: q * q <= n, found)):
                found.append(n)
                sieve.setdefault(n * n, []).append(n)
                yield n
            n += 1

    found = []
    print(list(itertools.islice(primes(), 120))[-5:])

    def averager():
        total = count = 0
        try:
            while True:
                total += yield total / count if count else None
                count += 1
        except GeneratorExit:
            print("closed after", count)
            raise

    a = averager()
    next(a)
    print([a.send(v) for v in (1, 5, 9)])
    a.close()

    async def job(n):
        total = 0
        for i in range(n):
            total += await turn(i)
        return total

    class turn:
        def __init__(self, i):
            self.i = i

        def __await__(self):
            yield
            return self.i

    jobs, results = [job(n) for n in (3, 7, 5)], []
    while jobs:
        for j in jobs[:]:
            try:
                j.send(None)
            except StopIteration as end:
                results.append(end.value)
                jobs.remove(j)
    print(results)


def errors():
    section("errors")

    def deep(n):
        if n == 0:
            raise ValueError("at the bottom")
        return deep(n - 1)

    try:
        try:
            deep(5)
        except ValueError as e:
            raise KeyError("wrapped") from e
    except KeyError as e:
        for line in traceback.format_exception(e):
            print(re.sub(r'File ".*/', 'File "', line), end="")

    def endless(n):
        return endless(n + 1)

    try:
        endless(0)
    except RecursionError as e:
        print(e)
    try:
        raise ExceptionGroup("many", [TypeError(1), OSError(2, "two"), ExceptionGroup("in", [TypeError(3)])])
    except* TypeError as group:
        print(group.exceptions)
    except* OSError as group:
        print(group.exceptions)
    for bad in ("1 +", "x = [1,", "'\\N{nothing}'"):
        try:
            compile(bad, "bad", "exec")
        except SyntaxError as e:
            print(e)


def threads():
    section("threads")
    work, done, lock = queue.Queue(5), {}, threading.Lock()

    def worker(me):
        while (n := work.get()) is not None:
            digest = functools.reduce(lambda d, _: hashlib.sha256(d).digest(), range(300), str(n).encode())
            with lock:
                done[n] = digest.hex()[:8]
        local.name = me

    local = threading.local()
    crew = [threading.Thread(target=worker, args=(i,)) for i in range(4)]
    for t in crew:
        t.start()
    for n in range(40):
        work.put(n)
    for _ in crew:
        work.put(None)
    for t in crew:
        t.join()
    print(sorted(done.items()), hasattr(local, "name"))
    barrier, order = threading.Barrier(3), []

    def meet():
        for phase in range(5):
            barrier.wait()
            order.append(phase)

    crew = [threading.Thread(target=meet) for _ in range(3)]
    for t in crew:
        t.start()
    for t in crew:
        t.join()
    print(order)
    ready = threading.Event()
    threading.Timer(0.02, ready.set).start()
    print(ready.wait(), threading.active_count() >= 1)


def bytes_and_files():
    section("bytes and files")
    r = random.Random(7)
    data = bytes(r.choices(range(256), weights=range(256, 0, -1), k=60000))
    packed = zlib.compress(data, 9)
    print(len(packed), zlib.crc32(data), zlib.decompress(packed) == data)
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"):
        print(name, hashlib.new(name, data).hexdigest()[:24])
    with open("/tmp/python-tour", "wb") as f:
        f.write(data)
    with open("/tmp/python-tour", "rb") as f:
        f.seek(1000)
        print(f.read(8), f.tell(), sum(f.read()))
    print(r.gauss(0, 1), r.sample(range(1000), 6), r.random())
    m = memoryview(bytearray(data))[::7]
    print(m[5], sum(m), bytes(m[-3:]))


numbers()
texts()
objects()
generators()
errors()
threads()
bytes_and_files()
started = time.monotonic()
time.sleep(0.01)
print(time.monotonic() - started >= 0.01, sys.getrecursionlimit())
