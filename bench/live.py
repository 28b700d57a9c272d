"""Section about the live path: a server of a million customers under load, from start to stop."""

import datetime
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

import live_segments
import shop
from measure import REGULARS, TARGET, THREADS, Failure, regulars, say

# Events that some segment looks at, of those that the traffic has.
READ = {
    "Product Viewed", "Product Added", "Product Removed", "Cart Viewed", "Checkout Started",
    "Order Completed", "Email Delivered", "Email Opened", "Email Link Clicked",
}
# Segments of channels: a server has those of the channels that there were at its start.
OF_CHANNELS = re.compile(r"channel_")
# The segment that a stampede leads into, and after how many minutes of an idle cart.
STAMPEDE = ("cart_idle_15", 15)
# Records in the log that the history has not, at a kill; and seconds until that many must be there.
TAIL, TAIL_WITHIN = 900_000, 60


class Server:
    """A running server of a workspace."""

    def __init__(self, directory):
        self.directory = directory
        began = time.monotonic()
        self.child = subprocess.Popen(
            [str(REGULARS), "--threads", str(THREADS), "-C", str(directory), "serve", "--listen", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.said = []
        for line in self.child.stderr:
            self.said.append(line)
            if "listening on" in line:
                break
        else:
            raise Failure(f"the server ended: {''.join(self.said)}")
        self.started = time.monotonic() - began
        self.address = re.search(r"http://(\S+)", self.said[-1])[1]
        # What it says later is read, so that it never waits for us.
        threading.Thread(target=self.child.stderr.read, daemon=True).start()

    def secret(self, of):
        """A secret that the first start shows."""
        return re.search(rf"{of}\s+(\S+)", "".join(self.said))[1]

    def cpu(self):
        """Seconds of CPU so far, of user and system."""
        fields = open(f"/proc/{self.child.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, path, token=None):
        """The body of an answer."""
        request = urllib.request.Request(f"http://{self.address}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()

    def metric(self, name):
        """A number of the metrics."""
        return int(re.search(rf"^regulars_{name} (\d+)", self.get("/metrics"), re.M)[1])

    def delays(self):
        """How often a transition was on disk so many seconds after its event was answered, by bound."""
        found = re.findall(r'^regulars_transition_seconds_bucket{le="([^"]+)"} (\d+)', self.get("/metrics"), re.M)
        return {float(bound.replace("+Inf", "inf")): int(count) for bound, count in found}

    def drain(self):
        """Waits until everything is folded; gives the seconds that took."""
        began = time.monotonic()
        while self.metric("records_waiting") > 0:
            time.sleep(0.02)
        return time.monotonic() - began

    def sizes(self, token):
        """Members of each segment."""
        segments = json.loads(self.get("/api/v1/segments", token))
        return {one["segment"]: one["customers"] for one in segments}

    def stop(self):
        """Ends it; gives seconds, CPU and the peak of memory of its whole life."""
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        if self.child.returncode != 0:
            raise Failure(f"the server ended with {self.child.returncode}")
        return {
            "seconds": time.monotonic() - began,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / 1024,
        }


class Load:
    """What sends events to a server."""

    def __init__(self, server, size):
        self.server, self.size, self.runs = server, size, 0
        self.key, self.token = server.secret("write key"), server.secret("API token")

    def begin(self, mode, **options):
        """Starts a generator; every one has events of its own."""
        self.runs += 1
        options = {"customers": self.size.customers, "run": self.runs, **options}
        if mode == "probe":
            options["token"] = self.token
        command = [TARGET / "examples" / "live_load", mode, self.server.address, self.key]
        command += [f"{name}={value}" for name, value in options.items()]
        return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)

    def end(self, child):
        """What a generator says in the end."""
        out, _ = child.communicate(timeout=1200)
        if child.returncode != 0:
            raise Failure(f"the generator ended with {child.returncode}")
        return json.loads(out)

    def run(self, mode, **options):
        """One generator from start to end."""
        return self.end(self.begin(mode, **options))


def measure_live(size):
    """Everything about the live path, one after the other on one server."""
    directory = workspace(size)
    server = Server(directory)
    first_start = server.started
    try:
        load = Load(server, size)
        server, cold_start = after_a_kill(server, load, directory)
        result = under_load(server, load, size)
        stopped = server.stop()
    except BaseException:
        server.child.kill()
        raise
    result |= {"first_start": first_start, "cold_start": cold_start, "stopped": stopped}
    result["stampede"] |= stampede_of(directory, result["stampede"])
    result["same"] = compare(directory, load.token, result.pop("sizes"))
    return result


def workspace(size):
    """A shop with scores and a hundred more segments."""
    directory = shop.fresh_workspace(size, "live")
    say("importing and scoring the shop of the live path")
    regulars("-C", directory, "import", *shop.files(size))
    regulars("-C", directory, "score")
    (directory / "segments" / "live_bench.toml").write_text(live_segments.as_toml())
    # What a key may send is no limit here.
    config = directory / "regulars.toml"
    text = config.read_text()
    changed = re.sub(r"(?m)^#? ?events_per_second = .*$", "events_per_second = 100000000", text)
    config.write_text(changed if changed != text else text + "\n[serve]\nevents_per_second = 100000000\n")
    return directory


def after_a_kill(server, load, directory):
    """Starts anew, with nothing of the data in memory, a server that was killed with a long tail."""
    say("live: a kill, and a start with a cold cache")
    traffic = load.begin("traffic", seconds=TAIL_WITHIN)
    until, tail = time.monotonic() + TAIL_WITHIN - 1, 0
    while tail < TAIL and time.monotonic() < until:
        time.sleep(0.05)
        tail = server.metric("records_unmoved")
    server.child.kill()
    server.child.wait()
    traffic.kill()
    traffic.wait()
    evict(directory)
    load.server = Server(directory)
    # What had waited to be folded waits again, while events are taken.
    waiting = load.server.metric("records_waiting")
    folded = load.server.started + load.server.drain()
    return load.server, {"tail": tail, "seconds": load.server.started, "waiting": waiting, "folded": folded}


def evict(directory):
    """Drops the files of a workspace from the cache of the system."""
    for path in directory.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def under_load(server, load, size):
    """The loads, one after the other."""
    seconds = size.live_seconds
    load.run("traffic", seconds=max(seconds // 10, 5))
    server.drain()
    say("live: batches of 100, as fast as they are answered")
    result = {"batches": batches(server, load, seconds)}
    half = int(min(50_000, result["batches"]["folded_per_second"] / 2))
    say("live: single events")
    result["singles"] = singles(server, load, max(seconds // 5, 10))
    say(f"live: probes at {half:,} events a second")
    result["probes"] = probes(server, load, half, max(seconds // 5, 10))
    say("live: many wake-ups at one instant")
    result["stampede"] = stampede(server, load, half, size)
    server.drain()
    return {**result, "sizes": server.sizes(load.token)}


def batches(server, load, seconds):
    """Batches as fast as they are answered, until the last is folded."""
    moved = server.metric("transitions_total")
    cpu, began = server.cpu(), time.monotonic()
    sent = load.run("traffic", seconds=seconds)
    drained = server.drain()
    wall = time.monotonic() - began
    read = sum(count for name, count in sent["names"].items() if name in READ)
    cpu = server.cpu() - cpu
    return {
        "sent": sent,
        "durable_per_second": sent["events_per_second"],
        "folded_per_second": sent["events"] / wall,
        "drained": drained,
        "events_per_cpu_second": sent["events"] / cpu,
        "read_share": read / sent["events"],
        "transitions": server.metric("transitions_total") - moved,
    }


def singles(server, load, seconds):
    """Requests of one event each, 10,000 a second."""
    sent = load.run("traffic", seconds=seconds, batch=1, connections=64, rate=10_000)
    return {**sent, "drained": server.drain()}


def probes(server, load, half, seconds):
    """From the answer to the transition in the outbox, at half load: of all transitions by the server's own clock,
    and of some as seen through the API."""
    before = server.delays()
    traffic = load.begin("traffic", seconds=seconds, rate=half)
    seen = load.run("probe", seconds=seconds - 2, rate=50)
    traffic = load.end(traffic)
    return {**seen, "traffic": traffic, "delays": since(before, server.delays())}


def since(before, after):
    """How often by bound since an earlier look, of how many; and the least bounds that hold half and 99 of 100."""
    counts = {bound: after[bound] - before[bound] for bound in after}
    total = counts[float("inf")]

    def least(share):
        return min(bound for bound, count in counts.items() if count >= share * total)

    return {
        "transitions": total, "p50_seconds": least(0.5), "p99_seconds": least(0.99), "all_seconds": least(1),
        "within_100_ms": counts[0.1] / max(total, 1),
    }


def stampede(server, load, half, size):
    """Many carts that are abandoned at one instant, at half load."""
    due = min(200_000, size.customers // 2)
    lead = 20 + due // 5_000
    at = int((time.time() + lead) * 1000)
    load.run("carts", customers=due, at=at - STAMPEDE[1] * 60_000)
    server.drain()
    left = at / 1000 - time.time()
    if left < 1:
        raise Failure("the carts were not there in time")
    time.sleep(max(left - 5, 0))
    before = server.delays()
    traffic = load.begin("traffic", seconds=20, rate=half)
    seen = load.run("probe", seconds=18, rate=20)
    traffic = load.end(traffic)
    return {"due": due, "at": at, "probes": seen, "traffic": traffic, "delays": since(before, server.delays())}


def moment(text):
    """Milliseconds since 1970 of an instant as Regulars writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def stampede_of(directory, asked):
    """How many were found to have moved at the instant, and how long after it the last was."""
    since = datetime.datetime.fromtimestamp(asked["at"] / 1000, datetime.timezone.utc)
    document = regulars(
        "-C", directory, "transitions", "--segment", STAMPEDE[0], "--since", f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "--limit", 10_000_000, "--format", "jsonl",
    )
    found = [
        moment(one["recorded_at"]) for one in map(json.loads, document.out.splitlines())
        if moment(one["occurred_at"]) == asked["at"]
    ]
    return {"fired": len(found), "all_fired_after": (max(found) - asked["at"]) / 1000 if found else None}


def folded(directory, *options):
    """Sizes of the segments, folded by a batch command."""
    segments = regulars("-C", directory, "segments", "--format", "json", *options).json()["segments"]
    return {one["segment"]: one["kpis"]["customers"] for one in segments}


def compare(directory, token, live):
    """Sizes of the segments live and of a server that starts again, each with those of a batch command after it."""
    before = folded(directory)
    server = Server(directory)
    try:
        at = datetime.datetime.now(datetime.timezone.utc)
        again = server.sizes(token)
    finally:
        server.child.kill()
        server.child.wait()
    # Time went by: some left a window meanwhile.
    after = folded(directory, "--as-of", f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z")
    own = [name for name in live if not OF_CHANNELS.match(name)]
    differing = {
        name: [live[name], before.get(name), again.get(name), after.get(name)]
        for name in own if live[name] != before.get(name) or again.get(name) != after.get(name)
    }
    return {"segments": len(own), "differing": differing, "start": server.started}
