#!/bin/bash
# milter.sh - bulkhead-milter as an administrator meets it: sockets, signals,
# users, bad settings; and the exit codes of `bulkhead preview`.  TAP on stdout.
set -u
milter=${BULKHEAD_BUILDDIR:-.}/bulkhead-milter
bulkhead=${BULKHEAD_BUILDDIR:-.}/bulkhead
work=$(mktemp -d /tmp/bh-milter-XXXXXX) || exit 99
pids=
trap 'kill -9 $pids 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
chmod 755 "$work"
count=0

# ok NAME COMMAND...: is COMMAND true?
ok()
{
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >check.out 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' err log check.out 2>/dev/null
	fi
}

# fails CODE NAME PATTERN ARG...: the milter ends at once, with that code and a
# line on stderr that matches.
fails()
{
	local code=$1 name=$2 pattern=$3 rc
	shift 3
	timeout -k 1 20 "$milter" -f "$@" >out 2>err </dev/null
	rc=$?
	ok "$name: exit $code" test "$rc" -eq "$code"
	ok "$name: says why" grep -q -- "$pattern" err
}

# start ARG...: the milter in the background, its pid in $pid, its log in log.
start()
{
	"$milter" -f "$@" >log 2>&1 </dev/null &
	pid=$!
	pids="$pids $pid"
	wait_for ': ready' || cat log
}

wait_for()
{
	local i
	for i in $(seq 100); do
		grep -q -- "$1" log && return 0
		sleep 0.05
	done
	return 1
}

# stop NAME CODE [SIGNAL]: it ends with that code.
stop()
{
	local rc
	kill "-${3:-TERM}" "$pid"
	wait "$pid"
	rc=$?
	ok "$1: exit $2" test "$rc" -eq "$2"
}

socket=unix:$work/m.sock
printf 'milter { socket = "%s" }\n' "$socket" >good.conf
printf 'milter { sokket = "x" }\n' >bad.conf

fails 64 'unknown option' 'usage: ' -x
fails 64 'an argument too many' 'unexpected argument "x"' x
fails 78 'no settings' '/none.conf: ' -c /none.conf
fails 78 'bad settings' 'bad.conf:1: .*did you mean "socket"' -c bad.conf
fails 78 'no socket name' 'write unix:/PATH' -c good.conf -p foo
fails 69 'no directory' 'its directory is not there' \
    -c good.conf -p "unix:$work/none/m.sock"
fails 67 'no such user' 'no user is named' -c good.conf -u nobody-at-all
echo x >plain
fails 73 'a file in its place' 'no socket' -c good.conf -p "unix:$work/plain"
ok 'the file is left' grep -q x plain
ok 'help' sh -c "$milter --help | grep -q '^usage: bulkhead-milter'"
ok 'version' sh -c "$milter -V | grep -q '^bulkhead-milter [0-9]'"

ok 'fd: of nobody' sh -c "timeout 9 $milter -f -c good.conf -p fd:9 2>err
    test \$? -eq 69 && grep -q 'fd:9 is no listening socket' err"

# without -f, too: whoever starts it sees why it does not start
timeout 20 "$milter" -c good.conf -p "unix:$work/none/m.sock" 2>err
ok 'no directory, without -f: says why' grep -q 'its directory is not' err
fails 69 'no such host' 'has no address' \
    -c good.conf -p inet:no.such.host.invalid:8891
mkfifo -m 640 pipe
printf 'token-keys = "%s/pipe"\nmilter { socket = "%s" }\n' "$work" \
    "$socket" >pipe.conf
fails 78 'a pipe for keys' 'pipe.conf:1: .*no regular file' -c pipe.conf

start -c good.conf
ok 'socket is 0660' test "$(stat -c %a m.sock)" = 660
if getent group postfix >/dev/null; then
	ok 'socket is of group postfix' test "$(stat -c %G m.sock)" = postfix
else
	ok 'no group postfix: says so' grep -q 'not of group postfix' log
fi
fails 69 'a socket in use' 'another process listens' -c good.conf
ok 'the socket in use is left' test -S m.sock

# one whose queue is full is in use, too, and asking does not hang
"${PYTHON:-/usr/bin/python3}" -c '
import signal, socket
s = socket.socket(socket.AF_UNIX)
s.bind("full.sock")
s.listen(0)
c = [socket.socket(socket.AF_UNIX) for i in range(2)]
for x in c:
    x.setblocking(False)
    try:
        x.connect("full.sock")
    except BlockingIOError:
        print("full", flush=True)
signal.pause()' >full.out 2>&1 &
full=$!
pids="$pids $full"
for i in $(seq 100); do grep -q full full.out && break; sleep 0.05; done
fails 69 'a socket whose queue is full' 'another process listens' \
    -c good.conf -p "unix:$work/full.sock"
kill "$full"
wait "$full" 2>/dev/null

# libmilter waits for the same signals: none of these may end it
for i in $(seq 20); do kill -HUP "$pid"; sleep 0.003; done
ok 'reloads' wait_for 'settings loaded anew'
ok 'a burst of SIGHUP does not end it' kill -0 "$pid"
cp bad.conf good.conf
kill -HUP "$pid"
ok 'a bad file keeps the old settings' wait_for 'settings kept as they were'
ok 'and does not end it' kill -0 "$pid"
stop SIGTERM 0
printf 'milter { socket = "%s" }\n' "$socket" >good.conf

# one signal right behind the other: libmilter's thread must get none of them
printf 'milter { socket = "%s" }\n' "$socket" >good.conf
start -c good.conf
kill -HUP "$pid"; kill -HUP "$pid"; kill -TERM "$pid"
wait "$pid"
ok 'SIGHUP and SIGTERM at once' test $? -eq 0
ok 'and it ended as it was asked to' sh -c "! grep -q 'without being' log"

# it may choose OpenSSL's code by executing itself anew, but not against a word
# of the administrator's
OPENSSL_ia32cap=:0 start -c good.conf -p "unix:$work/cap.sock"
ok 'OPENSSL_ia32cap is left as it was set' \
    sh -c "tr '\\0' '\\n' </proc/$pid/environ | grep -qx OPENSSL_ia32cap=:0"
stop 'with OpenSSL told what to use' 0

# what is read at the start only
start -c good.conf
ok 'its process keeps its name' \
    test "$(cat "/proc/$pid/comm" 2>/dev/null)" = bulkhead-milter
printf 'milter { socket = "%s"\nmax-sessions = 7\nmax-memory = 200M }\n' \
    "unix:$work/n.sock" >good.conf
kill -HUP "$pid"
ok 'a new socket: says restart' wait_for 'socket has changed: restart'
ok 'max-sessions: says restart' wait_for 'max-sessions has changed: restart'
kill -USR2 "$pid"
ok 'SIGUSR2: the counters' wait_for 'counters:.* reloads=[1-9]'
ok 'and does not end it' kill -0 "$pid"
printf 'milter { socket = "%s"\nspool = "/nonexistent" }\n' \
    "$socket" >good.conf
kill -HUP "$pid"
ok 'a spool that cannot be used: says so' \
    wait_for 'no file can be made in /nonexistent'
stop 'as before' 0
printf 'milter { socket = "%s" }\n' "$socket" >good.conf

# killed: the socket stays behind, stale
start -c good.conf
kill -9 "$pid"
wait "$pid" 2>/dev/null
ok 'kill -9 leaves a stale socket' test -S m.sock
start -c good.conf
ok 'a stale socket is replaced' grep -q ': ready' log
stop SIGINT 0 INT
rm -f m.sock

if [ "$(id -u)" = 0 ]; then
	start -c good.conf -u nobody
	ok 'gives up root' \
	    test "$(stat -c %U "/proc/$pid")" = nobody
	stop 'as nobody' 0
	rm -f m.sock
	cp "$milter" "$work/milter"
	chmod 777 "$work"
	same_user()
	{
		timeout 1 setpriv --reuid nobody --clear-groups \
		    "$work/milter" -f -u nobody -c good.conf >out 2>err </dev/null
		grep -q ': ready' err
	}
	ok '-u for the user it already is' same_user
	rm -f m.sock
	# the limit of open files is raised, or there are fewer sessions
	few_files()
	{
		(ulimit -n "$1" && exec timeout 1 setpriv --reuid nobody \
		    --clear-groups "$work/milter" -f -c good.conf) \
		    >out 2>err </dev/null
	}
	few_files 200
	ok 'few files: says so' \
	    grep -q 'max-sessions is 68, not 1000: .* LimitNOFILE=' err
	ok 'few files: serves' grep -q ': ready' err
	rm -f m.sock
	few_files 64
	ok 'too few files: says why' grep -q 'only 64 files may be open' err
	ok 'too few files: no socket' test ! -e m.sock
	# somebody's socket that we may not connect to is not stale
	start -c good.conf
	chmod 600 m.sock
	chmod 777 "$work"
	fails_as_nobody()
	{
		timeout 20 setpriv --reuid nobody --clear-groups \
		    "$work/milter" -f -c good.conf >out 2>err </dev/null
		test $? -eq 69 && test -S m.sock
	}
	ok 'a socket that we may not ask is not taken' fails_as_nobody
	stop 'asked by nobody' 0
fi

fails 78 'port 0' 'write inet:HOST:PORT' -c good.conf -p inet:127.0.0.1:0

exit_of()
{
	local code=$1
	shift
	"$bulkhead" preview -c good.conf "$@" >out 2>err </dev/null
	test $? -eq "$code"
}
printf 'From: a@example.com\n\nx\n' >mail
ok 'preview: as it came' exit_of 0 -f a@example.com -r b@example.net mail
ok 'preview: and why' grep -q 'it leaves as it came: no domain section' err
ok 'preview: octet for octet' cmp mail out
ok 'preview: no sender' exit_of 64 -r b@example.net mail
ok 'preview: no recipient' exit_of 64 -f a@example.com mail
ok 'preview: a bad address' exit_of 64 -f a@example.com -r 'b@@c' mail
ok 'preview: a bad time' exit_of 64 -f a@example.com -r b@c --time now mail
ok 'preview: no such file' exit_of 66 -f a@example.com -r b@c none
ok 'preview: nothing in it' exit_of 65 -f a@example.com -r b@c /dev/null
ok 'preview: a stranger' \
    exit_of 0 -f a@example.com -r b@c --client 203.0.113.1 mail
ok 'preview: is told' grep -q 'none of ours' err
ok 'preview: settings' sh -c \
    "$bulkhead preview -c bad.conf -f a@b -r c@d mail; test \$? -eq 78"
echo "1..$count"
