"""Hostile snippets. Each prints ESCAPED when it has done what no snippet may do.

`@NAME@` is filled in by the test with something of the host: a port that listens, a pid, a file.
"""

from dataclasses import dataclass

from genprm.sandbox import RunStatus

OK, ERROR, TIMEOUT, MEMORY, OUTPUT_LIMIT, EXIT, DIED = RunStatus
ANY = tuple(RunStatus)  # only that nothing escapes and the neighbours live


@dataclass(frozen=True, slots=True)
class Attack:
    """A snippet and the endings that are acceptable."""

    name: str
    code: str
    endings: tuple[RunStatus, ...]

    @property
    def timeout(self) -> float:
        """Seconds: short where the clock must end it, long where something else must."""
        return 0.4 if TIMEOUT in self.endings and self.endings != ANY else 4.0


def _attack(name: str, code: str, *endings: RunStatus) -> Attack:
    return Attack(name, code.strip("\n"), endings or ANY)


TIME = [
    _attack("loop", "while True: pass", TIMEOUT),
    _attack("loop under bare except", """
while True:
    try:
        while True: pass
    except:
        pass
""", TIMEOUT),
    _attack("loop under except BaseException in a function", """
def stay():
    try:
        while True: pass
    except BaseException:
        stay()
stay()
""", TIMEOUT),
    _attack("loop in finally", """
try:
    while True: pass
finally:
    while True: pass
""", TIMEOUT),
    _attack("loop with SIGALRM ignored", """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True: pass
""", TIMEOUT),
    _attack("loop with every signal blocked", """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass
""", TIMEOUT),
    _attack("loop with the timer disarmed", """
import signal
signal.setitimer(signal.ITIMER_REAL, 0)
while True: pass
""", TIMEOUT),
    _attack("loop inside C", """
import collections, itertools
collections.deque(itertools.count(), 0)
""", TIMEOUT),
    _attack("sum without end", "import itertools; sum(itertools.repeat(1))", TIMEOUT),
    _attack("sleep", "import time; time.sleep(3600)", TIMEOUT),
    _attack("sleep in C", "import ctypes; ctypes.CDLL(None).sleep(3600)", TIMEOUT),
    _attack("pause", "import signal\nwhile True: signal.pause()", TIMEOUT),
    _attack("wait for input that never comes", """
import os, select
r, w = os.pipe()
select.select([r], [], [])
os.read(r, 1)
""", TIMEOUT),
    _attack("huge power", "10 ** 10 ** 9", TIMEOUT, MEMORY),
    _attack("huge factorial", "import math; math.factorial(10 ** 8)", TIMEOUT, MEMORY),
    _attack("regex backtracking", "import re; re.match('(a+)+$', 'a' * 64 + 'b')", TIMEOUT),
    _attack("poisoned __str__ that never ends", """
class Poison(Exception):
    def __str__(self):
        while True: pass
raise Poison
""", TIMEOUT),
    _attack("error message that swallows the time-out", """
class Poison(Exception):
    def __str__(self):
        while True:
            try:
                while True: pass
            except BaseException: pass
raise Poison
""", TIMEOUT),
    _attack("destructor that never ends", """
class Poison:
    def __del__(self):
        while True: pass
Poison()
""", TIMEOUT),
    _attack("alarm handler that goes on after the snippet", """
import signal
def burn(*_):
    while True: pass
signal.signal(signal.SIGVTALRM, burn)
signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
"""),
]  # fmt: skip

ENDINGS = [
    _attack("sys.exit", "import sys; sys.exit(3)", EXIT),
    _attack("exit()", "exit()", EXIT),
    _attack("quit()", "quit()", EXIT),
    _attack("os._exit", "import os; os._exit(0)", EXIT),
    _attack("exit of libc", "import ctypes; ctypes.CDLL(None).exit(0)", EXIT),
    _attack("abort", "import os; os.abort()", DIED),
    _attack("segfault", "import ctypes; ctypes.string_at(0)", DIED),
    _attack("illegal instruction by mmap", """
import ctypes, mmap
page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
page.write(bytes(4096))
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
""", DIED, ERROR),
    _attack("deep recursion", "def f(): return f()\nf()", ERROR),
    _attack("recursion without a limit", """
import sys
sys.setrecursionlimit(10 ** 9)
def f(): return f()
f()
""", DIED, MEMORY, ERROR, TIMEOUT),
    _attack("C stack overflow", """
import sys
sys.setrecursionlimit(10 ** 9)
nest = []
for _ in range(10 ** 6): nest = [nest]
repr(nest)
""", DIED, MEMORY, ERROR, TIMEOUT),
    _attack("stack overflow in the compiler", "eval('-' * 10 ** 6 + '1')", DIED, MEMORY, ERROR),
    _attack("KeyboardInterrupt", "raise KeyboardInterrupt", ERROR),
    _attack("GeneratorExit", "raise GeneratorExit", ERROR),
    _attack("exception with a poisoned name", """
class Meta(type):
    @property
    def __name__(self): raise SystemExit
class Poison(Exception, metaclass=Meta): pass
raise Poison
""", ERROR),
    _attack("exception with a poisoned __str__", """
class Poison(Exception):
    def __str__(self): raise MemoryError
raise Poison
""", ERROR),
    _attack("exception with a huge message", "raise Exception('x' * 10 ** 7)", ERROR),
    _attack("null byte", "print(1)\0", ERROR),
    _attack("lone surrogate", "print('\ud800')"),
]  # fmt: skip

OUTPUT = [
    _attack("print flood", "while True: print('x' * 1000)", OUTPUT_LIMIT),
    _attack("print flood under except BaseException", """
while True:
    try: print('x' * 1000)
    except BaseException: pass
""", TIMEOUT, OUTPUT_LIMIT),
    _attack("one huge print", "print('x' * 10 ** 7)", OUTPUT_LIMIT),
    _attack("flood of descriptor 1", """
import os
while True: os.write(1, b'x' * 65536)
""", TIMEOUT),
    _attack("flood of stderr", """
import sys
for _ in range(10 ** 4): sys.stderr.write('x' * 1000)
""", OK),
    _attack("binary output", "import sys; sys.stdout.buffer.write(bytes(range(256)))", OK),
    _attack("reading stdin", "input()", ERROR),
    _attack("reading descriptor 0", "import os; assert os.read(0, 1) == b''", OK),
    _attack("stdout is None", "import sys; sys.stdout = None; print(1)", OK),
    _attack("stdout closed", "import sys; sys.stdout.close()"),
    _attack("stdout detached", "import sys; sys.stdout.detach()"),
    _attack("stdout that lies", """
import sys
class Liar:
    def write(self, text): raise SystemExit
    flush = write
sys.stdout = sys.stderr = sys.stdin = Liar()
"""),
]  # fmt: skip

MEMORY_USE = [
    _attack("100 GB at once", "bytearray(100 << 30)", MEMORY),
    _attack("100 GB in numpy", "import numpy; numpy.ones(100 << 27)", MEMORY),
    _attack("steady growth", "hoard = []\nwhile True: hoard.append(bytes(1 << 20))",
            MEMORY, DIED),
    _attack("growth that swallows MemoryError", """
hoard = []
while True:
    try: hoard.append(bytearray(1 << 22))
    except MemoryError: pass
""", TIMEOUT, MEMORY, DIED),
    _attack("huge mmap", """
import mmap
mmap.mmap(-1, 100 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); print('ESCAPED')
""", ERROR, MEMORY),
    _attack("shared mmap", "import mmap; mmap.mmap(-1, 4096); print('ESCAPED')", ERROR),
    _attack("shared mmap of a device", """
import ctypes, os
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
fd = os.open('/dev/zero', os.O_RDWR)
for flags in (0x01, 0x03, 0x21, 0x01 | 0x8000):
    if libc.mmap(None, 4096, 3, flags, fd, 0) != 2 ** 64 - 1: print('ESCAPED')
""", OK, ERROR),
    _attack("memory of a string", "'x' * (100 << 30)", MEMORY),
    _attack("raising its own limits", """
import resource
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
print('ESCAPED')
""", ERROR),
    _attack("raising its own limits by prlimit", """
import resource
resource.prlimit(0, resource.RLIMIT_NOFILE, (10 ** 6, 10 ** 6))
print('ESCAPED')
""", ERROR),
    _attack("descriptors without end", """
import os
kept = []
while True: kept.append(os.dup(0))
""", ERROR),
]  # fmt: skip

PROCESSES = [
    _attack("fork", "import os; os.fork(); print('ESCAPED')", ERROR),
    _attack("fork bomb", """
import os
while True:
    try:
        os.fork(); print('ESCAPED')
    except OSError: pass
""", TIMEOUT, OUTPUT_LIMIT),
    _attack("forkpty", "import os; os.forkpty(); print('ESCAPED')", ERROR),
    _attack("fork of libc", """
import ctypes
if ctypes.CDLL(None).fork() >= 0: print('ESCAPED')
"""),
    _attack("subprocess", "import subprocess; subprocess.run(['true']); print('ESCAPED')", ERROR),
    _attack("posix_spawn", """
import os
os.posix_spawn('/bin/true', ['true'], {})
print('ESCAPED')
""", ERROR),
    _attack("os.system", "import os\nif os.system('true') == 0: print('ESCAPED')", OK, ERROR),
    _attack("exec", "import os; os.execv('/bin/true', ['true'])", ERROR),
    _attack("exec of the interpreter", "import os, sys; os.execv(sys.executable, ['python'])",
            ERROR),
    _attack("multiprocessing", """
import multiprocessing
multiprocessing.Process(target=print).start()
print('ESCAPED')
""", ERROR),
    _attack("process pool", """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor() as pool: pool.submit(abs, 1).result(); print('ESCAPED')
""", ERROR, TIMEOUT),
    _attack("thread", "import threading; threading.Thread(target=print).start(); print('ESCAPED')",
            ERROR),
    _attack("thread bomb", """
import _thread, time
while True:
    try:
        _thread.start_new_thread(time.sleep, (9,)); print('ESCAPED')
    except RuntimeError: pass
""", TIMEOUT, OUTPUT_LIMIT),
]  # fmt: skip

NETWORK = [
    _attack("TCP", """
import socket
socket.create_connection(('127.0.0.1', @PORT@), 1); print('ESCAPED')
""", ERROR),
    _attack("TCP server", "import socket; socket.create_server(('127.0.0.1', 0)); print('ESCAPED')",
            ERROR),
    _attack("UDP", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('127.0.0.1', @PORT@))
print('ESCAPED')
""", ERROR),
    _attack("unix socket", """
import socket
socket.socket(socket.AF_UNIX).connect('@SOCKET@'); print('ESCAPED')
""", ERROR),
    _attack("abstract socket", """
import socket
socket.socket(socket.AF_UNIX).connect('\\0genprm-@PID@'); print('ESCAPED')
""", ERROR),
    _attack("netlink", "import socket; socket.socket(16, 3, 0); print('ESCAPED')", ERROR),
    _attack("raw socket", "import socket; socket.socket(2, 3, 1); print('ESCAPED')", ERROR),
    _attack("socketpair", "import socket; socket.socketpair(); print('ESCAPED')", ERROR),
    _attack("HTTP", """
import urllib.request
urllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=1); print('ESCAPED')
""", ERROR),
    _attack("name lookup", "import socket; socket.getaddrinfo('localhost', 80); print('looked up')",
            OK, ERROR),
]  # fmt: skip

SECRETS = [
    _attack("environment", "import os\nif '@SECRET@' in str(os.environ): print('ESCAPED')", OK),
    _attack("environment in C", """
import ctypes
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')
i = 0
while environ[i]:
    if b'@SECRET@' in environ[i]: print('ESCAPED')
    i += 1
""", OK),
    _attack("environment of the host", "open('/proc/@PID@/environ'); print('ESCAPED')", ERROR),
    _attack("own /proc", "open('/proc/self/maps'); print('ESCAPED')", ERROR),
    _attack("own memory by /proc", "open('/proc/self/mem', 'rb'); print('ESCAPED')", ERROR),
    _attack("descriptors by /proc", """
import os
os.open('/proc/@PID@/fd/0', os.O_RDONLY); print('ESCAPED')
""", ERROR),
    _attack("sysfs", "import os; os.listdir('/sys'); print('ESCAPED')", ERROR),
    _attack("secret file", "open('@FILE@').read(); print('ESCAPED')", ERROR),
    _attack("secret file by the back of a directory", """
import os
d = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
os.open('../../../../../../../../@FILE@', os.O_RDONLY, dir_fd=d); print('ESCAPED')
""", ERROR),
    _attack("/etc/passwd", "open('/etc/passwd').read(); print('ESCAPED')", ERROR),
    _attack("/etc/hostname", "open('/etc/hostname').read(); print('ESCAPED')", ERROR),
    _attack("root directory", "import os; os.listdir('/'); print('ESCAPED')", ERROR),
    _attack("home", "import os; os.listdir('@HOME@'); print('ESCAPED')", ERROR),
    _attack("working directory of the host", "import os; os.listdir('@CWD@'); print('ESCAPED')",
            ERROR),
    _attack("memory of the host", """
import ctypes
buffer = ctypes.create_string_buffer(8)
class Span(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
ours = Span(ctypes.addressof(buffer), 8); theirs = Span(id(object()), 8)
libc = ctypes.CDLL(None)
if libc.process_vm_readv(@PID@, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0) > 0:
    print('ESCAPED')
""", OK),
    _attack("inherited descriptors", """
import os
for fd in range(4, 64):
    try: os.fstat(fd); print('ESCAPED', fd)
    except OSError: pass
""", OK),
]  # fmt: skip

WRITING = [
    _attack("write to /usr", "open('/usr/lib/genprm', 'w'); print('ESCAPED')", ERROR),
    _attack("write to /tmp", "open('/tmp/genprm-@PID@', 'w'); print('ESCAPED')", ERROR),
    _attack("write to /dev/shm", "open('/dev/shm/genprm', 'w'); print('ESCAPED')", ERROR),
    _attack("temporary file", "import tempfile; tempfile.TemporaryFile(); print('ESCAPED')", ERROR),
    _attack("write to site-packages", """
import numpy, os
open(os.path.join(os.path.dirname(numpy.__file__), 'x'), 'w'); print('ESCAPED')
""", ERROR),
    _attack("sitecustomize", """
import os
open(os.path.join(os.path.dirname(os.__file__), 'sitecustomize.py'), 'w'); print('ESCAPED')
""", ERROR),
    _attack(".pyc", """
import os, py_compile
py_compile.compile(os.__file__, doraise=True); print('ESCAPED')
""", ERROR),
    _attack("overwrite the library", "import os; open(os.__file__, 'r+'); print('ESCAPED')", ERROR),
    _attack("truncate", "import os; os.truncate(os.__file__, 0); print('ESCAPED')", ERROR),
    _attack("unlink", "import os; os.unlink(os.__file__); print('ESCAPED')", ERROR),
    _attack("rename", "import os; os.rename(os.__file__, os.__file__ + 'x'); print('ESCAPED')",
            ERROR),
    _attack("chmod", "import os; os.chmod('@FILE@', 0o777); print('ESCAPED')", ERROR),
    _attack("utime", "import os; os.utime('@FILE@'); print('ESCAPED')", ERROR),
    _attack("chown", "import os; os.chown('@FILE@', 0, 0); print('ESCAPED')", ERROR),
    _attack("extended attribute", """
import os
os.setxattr('@FILE@', 'user.x', b''); print('ESCAPED')
""", ERROR),
    _attack("hard link", "import os; os.link('@FILE@', '/tmp/x-@PID@'); print('ESCAPED')", ERROR),
    _attack("symbolic link", "import os; os.symlink('/', '/tmp/x-@PID@'); print('ESCAPED')", ERROR),
    _attack("device", "import os; os.mknod('/tmp/x-@PID@', 0o20666, 259); print('ESCAPED')", ERROR),
    _attack("fifo", "import os; os.mkfifo('/tmp/x-@PID@'); print('ESCAPED')", ERROR),
    _attack("fill tmp by bytes", """
with open('/tmp/x-@PID@', 'wb') as file:
    while True: file.write(bytes(1 << 20)); print('ESCAPED')
""", ERROR),
    _attack("fill tmp by inodes", """
import os
for i in range(10 ** 6): os.mkdir(f'/tmp/x-@PID@-{i}'); print('ESCAPED')
""", ERROR),
    _attack("chroot", "import os; os.chroot('/tmp'); print('ESCAPED')", ERROR),
    _attack("raw disk", "open('/dev/vda', 'rb'); print('ESCAPED')", ERROR),
]  # fmt: skip

SIGNALS = [
    _attack("kill the host", "import os; os.kill(@PID@, 9); print('ESCAPED')", ERROR),
    _attack("kill the parent", "import os; os.kill(os.getppid(), 9); print('ESCAPED')", ERROR),
    _attack("kill everybody", "import os; os.kill(-1, 9); print('ESCAPED')", ERROR),
    _attack("kill the group", "import os; os.killpg(0, 9); print('ESCAPED')", ERROR),
    _attack("kill the neighbours", """
import os
for pid in range(max(2, os.getpid() - 200), os.getpid() + 200):
    if pid != os.getpid():
        try: os.kill(pid, 9); print('ESCAPED')
        except OSError: pass
""", OK),
    _attack("pidfd", """
import os, signal
signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9); print('ESCAPED')
""", ERROR),
    _attack("queue a signal", """
import ctypes
if ctypes.CDLL(None).sigqueue(@PID@, 9, None) == 0: print('ESCAPED')
""", OK),
    _attack("SIGIO by F_SETOWN", """
import fcntl, os
r, w = os.pipe()
fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid()); print('ESCAPED')
""", ERROR),
    _attack("SIGKILL by F_SETSIG", """
import fcntl, os
fcntl.fcntl(os.pipe()[0], 10, 9); print('ESCAPED')
""", ERROR),
    _attack("SIGIO by ioctl", """
import fcntl, os, struct
fcntl.ioctl(3, 0x8901, struct.pack('i', os.getppid())); print('ESCAPED')
""", ERROR),
    _attack("ptrace", """
import ctypes, os
if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: print('ESCAPED')
""", OK),
    _attack("limits of the host", """
import resource
resource.prlimit(@PID@, resource.RLIMIT_CPU, (1, 1)); print('ESCAPED')
""", ERROR),
    _attack("priority of the host", "import os; os.setpriority(0, @PID@, 19); print('ESCAPED')",
            ERROR),
    _attack("scheduler of the host", """
import os
os.sched_setaffinity(@PID@, {0}); print('ESCAPED')
""", ERROR),
]  # fmt: skip

CHANNEL = [
    _attack("close every descriptor", "import os; os.closerange(0, 4096)", DIED),
    _attack("garbage into every descriptor", """
import os
for fd in range(64):
    try: os.write(fd, b'garbage' * 100)
    except OSError: pass
""", DIED),
    _attack("flood of the control descriptor", """
import os
while True: os.write(3, bytes(65536))
""", DIED, ERROR),
    _attack("a reply written in advance", """
import os, struct
body = struct.pack('<BI', 0, 0) + b'forged'
for serial in range(100): os.write(3, struct.pack('<IBQ', len(body), 4, serial) + body)
""", DIED),
    _attack("a reply that claims a gigabyte", """
import os, struct
os.write(3, struct.pack('<IBQ', 1 << 30, 4, 0))
""", DIED),
    _attack("half a reply", "import os; os.write(3, b'\\1\\0\\0')", DIED, TIMEOUT),
    _attack("a true reply dug out of the runner, then another", """
import os, struct, sys
frame = sys._getframe()
while 'self' not in frame.f_locals: frame = frame.f_back
serial = frame.f_locals['self']._serial
body = struct.pack('<BI', 0, 0) + b'forged'
reply = struct.pack('<IBQ', len(body), 4, serial) + body
os.write(3, reply)
os.write(3, reply)
while True: pass
""", OK, DIED),
    _attack("reading the host's requests", """
import os
os.set_blocking(3, False)
while True:
    try: os.read(3, 65536)
    except BlockingIOError: pass
""", TIMEOUT),
    _attack("another channel in its place", "import os; r, w = os.pipe(); os.dup2(r, 3)", DIED),
    _attack("the runner sabotaged", """
import sys
frame = sys._getframe()
while 'self' not in frame.f_locals: frame = frame.f_back
vars(frame.f_locals['self']).clear()
""", DIED),
    _attack("the permitted clone, unpermitted", """
import ctypes
if ctypes.CDLL(None).syscall(56, 0x8011, 0, 0, 0, 0) >= 0: print('ESCAPED')
""", OK),
    _attack("presenting itself again", """
import ctypes
for token in range(50):
    if ctypes.CDLL(None).syscall(434, token, 0) >= 0: print('ESCAPED')
""", OK),
]  # fmt: skip

PATCHING = [
    _attack("builtins emptied", """
import builtins
for name in list(vars(builtins)): setattr(builtins, name, None)
"""),
    _attack("builtins that exit", """
import builtins, os
for name in list(vars(builtins)): setattr(builtins, name, lambda *a, **k: os._exit(0))
"""),
    _attack("modules of the runner patched", """
import json, os, signal, socket, struct, io, contextlib, ctypes
def fail(*args, **kwargs): raise SystemExit
for module in (json, os, signal, socket, struct, io, contextlib, ctypes):
    for name in list(vars(module)):
        if not name.startswith('__'): setattr(module, name, fail)
"""),
    _attack("modules forgotten", "import sys; sys.modules.clear()"),
    _attack("import hooks", """
import sys
class Hook:
    def find_spec(self, *args): raise SystemExit
sys.meta_path.insert(0, Hook()); sys.path_hooks.insert(0, Hook()); sys.path_importer_cache.clear()
"""),
    _attack("__main__ replaced", """
import sys
sys.modules['__main__'] = None; globals().clear()
""", OK),
    _attack("tracing", """
import sys
def trace(*args): raise SystemExit
sys.settrace(trace); sys.setprofile(trace)
"""),
    _attack("codecs", """
import codecs
def fail(*args): raise SystemExit
for name in ('strict', 'backslashreplace', 'surrogatepass'): codecs.register_error(name, fail)
"""),
    _attack("poisoned __repr__ left in the namespace", """
class Poison:
    def __repr__(self): raise SystemExit
    __str__ = __eq__ = __hash__ = __bool__ = __repr__
poison = Poison()
""", OK),
    _attack("poisoned __del__", """
class Poison:
    def __del__(self): raise SystemExit
poison = Poison()
del poison
""", OK),
    _attack("attributes of every object that the collector knows", """
import gc
for thing in gc.get_objects():
    try: vars(thing).clear()
    except BaseException: pass
"""),
    _attack("garbage collector", """
import gc
gc.unfreeze(); gc.set_threshold(1); gc.callbacks.append(lambda *a: 1 / 0)
"""),
    _attack("hidden in the error", """
class Error(Exception):
    @property
    def __class__(self): raise SystemExit
    __traceback__ = __cause__ = property(lambda self: 1 / 0)
raise Error('x')
""", ERROR),
]  # fmt: skip

_SYSTEM_CALLS = {  # x86-64 number, arguments
    "setuid": (105, "0"), "setgid": (106, "0"), "setresuid": (117, "0, 0, 0"),
    "setgroups": (116, "0, 0"), "capset": (126, "header, data"), "mount": (165, "p, p, p, 4096, 0"),
    "umount2": (166, "p, 2"), "pivot_root": (155, "p, p"), "bpf": (321, "5, data, 128"),
    "io_uring_setup": (425, "8, data"), "memfd_create": (319, "p, 0"),
    "memfd_secret": (447, "0"), "keyctl": (250, "0, -3, 1"), "add_key": (248, "p, p, p, 1, -3"),
    "request_key": (249, "p, p, 0, -3"), "perf_event_open": (298, "data, 0, -1, -1, 0"),
    "userfaultfd": (323, "1"), "unshare": (272, "0x10000000"), "setns": (308, "3, 0"),
    "personality": (135, "0x0040000"), "init_module": (175, "data, 8, p"),
    "ptrace (be traced)": (101, "0, 0, 0, 0"), "seccomp": (317, "0, 0, 0"),
    "prctl (dumpable)": (157, "4, 1, 0, 0, 0"), "prctl (no parent-death signal)": (157, "1, 0"),
    "shmget": (29, "0, 4096, 0o1600"), "semget": (64, "0, 1, 0o1600"), "msgget": (68, "0, 0o1600"),
    "mq_open": (240, "p, 0o102, 0o600, 0"), "inotify_init": (294, "0"),
    "fanotify_init": (300, "0, 0"), "landlock_create_ruleset": (444, "0, 0, 1"),
    "timer_create": (222, "0, 0, data"), "sethostname": (170, "p, 1"), "iopl": (172, "3"),
    "modify_ldt": (154, "0, data, 64"), "kcmp": (312, "@PID@, 1, 0, 0, 0"),
    "open_by_handle_at": (304, "-100, data, 0"),
    "clone (new user namespace)": (56, "0x10000011, 0"),
    "clone (thread)": (56, "0x10f00, 0"), "clone3": (435, "data, 88"), "vfork": (58, ""),
    "fork": (57, ""), "execve": (59, "p, 0, 0"), "pidfd_getfd": (438, "3, 0, 0"),
    "process_vm_writev": (311, "@PID@, data, 1, data, 1, 0"), "signalfd": (289, "-1, data, 8, 0"),
    "sendto": (44, "3, data, 1, 0, 0, 0"), "socket": (41, "1, 1, 0"), "reboot": (169, "0, 0, 0"),
}  # fmt: skip

SYSTEM_CALLS = [
    _attack(
        f"system call {name}",
        f"""
import ctypes, struct
p = ctypes.c_char_p(b'/tmp/genprm-x')
data = ctypes.create_string_buffer(128)
header = ctypes.create_string_buffer(struct.pack('Ii', 0x20080522, 0))
if ctypes.CDLL(None).syscall({number}{", " if arguments else ""}{arguments}) >= 0: print('ESCAPED')
""",
        OK,
    )
    for name, (number, arguments) in _SYSTEM_CALLS.items()
] + [
    _attack(
        "x32 system call",
        "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39); print('ESCAPED')",
        DIED,
    ),
    _attack(
        "system call by int80",
        """
import ctypes, mmap
page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
page.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')  # mov eax, 20 (getpid); int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print('ESCAPED')
""",
        DIED,
    ),
]

ATTACKS = [
    *TIME, *ENDINGS, *OUTPUT, *MEMORY_USE, *PROCESSES, *NETWORK, *SECRETS, *WRITING, *SIGNALS,
    *CHANNEL, *PATCHING, *SYSTEM_CALLS,
]  # fmt: skip
