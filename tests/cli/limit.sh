#!/bin/bash
# limit.sh - `bulkhead limit`: what it lists, asks, writes and returns, with
# policyd up (one that only answers) and down.  TAP on stdout.
set -u
bulkhead=${BULKHEAD_BUILDDIR:-.}/bulkhead
work=$(mktemp -d) || exit 99
pid=
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
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
		sed 's/^/# /' out err check.out 2>/dev/null
	fi
}

# run CODE NAME ARG...: bulkhead limit ARG..., stdout in out, stderr in err.
run()
{
	local code=$1 name=$2 rc
	shift 2
	"$bulkhead" limit "$@" -c bulkhead.conf >out 2>err </dev/null
	rc=$?
	ok "$name: exit $code" test "$rc" -eq "$code"
}

# json EXPRESSION: is the Python expression over j, the output, true?
json()
{
	/usr/bin/python3 -c 'import json, sys
j = json.load(open("out", encoding="utf-8"))
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)' "$1"
}

no() { ! "$@"; }

day=$(date -u +%Y-%m-%d)
yesterday=$(date -u -d "$day 1 day ago" +%Y-%m-%d)
tomorrow=$(date -u -d "$day 1 day" +%Y-%m-%d)
mkdir store
cat >bulkhead.conf <<CONF
store = "sqlite:$work/store"
policyd { control = "unix:$work/policyd.sock" }
domain "example.com" { sign s { key = /k } }
domain "other.example" { sign s { key = /k } }
stream "news letter" { match { sender = { "*@n" } } }
stream "example.com" { match { sender = { "*@e" } } }
limit "google" { recipient-domain = { "gmail.com" } rate = "20000/h" burst = 500 }
limit "each" { per = domain rate = "50000/d" count = messages
	override "example.com" { rate = "500000/d" } }
limit "v6" { per = client rate = "9/s" }
limit "warm" { rate = "20000/d" warm-up = { "200/d", "500/d", "900/d" }
	from = "$yesterday" }
limit "soon" { rate = "20000/d" warm-up = { "100/d" } from = "$tomorrow" }
CONF

# usage
run 0 'help' --help
ok 'help is on stdout' grep -q '^usage: bulkhead limit list' out
run 64 'no verb'
run 64 'another verb' frob
ok 'says which there are' grep -q 'list, show, reset, pause or resume' err
run 64 'reset of nothing' reset
run 64 'pause of nothing' pause
run 64 'list takes no argument' list google
run 64 'show has no dry run' show --dry-run
run 64 'resume has no note' resume x --note y
run 64 'both kinds' pause x --stream --domain
run 64 'an empty name' pause ''
mv bulkhead.conf away.conf
run 78 'no settings' list
mv away.conf bulkhead.conf
run 65 'no such limit' show nope
ok 'says where to look' grep -q 'no limit "nope": bulkhead limit list' err
run 65 'a value of one bucket' show google x
run 65 'no such stream or domain' pause nope
run 65 'reset of no such limit' reset nope

# a store that is new
run 0 'list' list
ok 'a limit' grep -Eq '^google +none +recipients +20000/h +500$' out
ok 'per' grep -Eq '^each +domain +messages +50000/d +50000$' out
ok 'an override' grep -Eq '^  example.com +500000/d +500000$' out
ok 'a warm-up' grep -Eq '^warm .* 500/d +500  warm-up day 2 of 3, 20000/d from ' out
ok 'one to come' grep -q "100/d .* warm-up begins on $tomorrow" out
ok 'nothing is paused' no grep -q paused out
run 0 'list for programs' list --json
ok 'stage' json '[l["stage"] for l in j["limits"]] == [None, None, None, 2, 1]'
ok 'rate of the day' json 'j["limits"][3]["rate"] == "500/d"'
ok 'rate later' json 'j["limits"][3]["rate_later"] == "20000/d"'
ok 'overrides' json 'j["limits"][1]["overrides"][0]["burst"] == 500000'
ok 'no pauses' json 'j["paused"] == []'
ok 'looking made nothing' test -z "$(ls store)"
run 0 'dry run' pause other.example --dry-run --json
ok 'would change' json 'j["changed"] and j["dry_run"] and j["paused"]'
ok 'it made nothing' test -z "$(ls store)"
run 0 'show without policyd' show
ok 'tells so' grep -q 'policyd does not answer .*saved last' err
ok 'all full' grep -q 'every bucket is full' out
run 0 'show one' show google --json
ok 'from the store' json 'j["source"] == "store"'
ok 'it is full' json 'j["buckets"][0]["left"] == 500'

# the stop button, policyd being down
run 0 'pause' pause 'news letter' --note 'wrong list'
ok 'does not mind policyd' grep -q 'it will see this when it runs' err
ok 'says so' grep -q '^stream news letter is paused$' out
run 0 'once more' pause 'news letter' --note 'again'
ok 'leaves it' grep -q 'is already paused' out
run 0 'a domain in capitals' pause Other.Example
run 65 'both a stream and a domain' pause example.com
ok 'asks which' grep -q 'add --stream or --domain' err
run 0 'the domain' pause example.com --domain
run 0 'and the stream' pause example.com --stream
run 0 'list' list
ok 'who, when and why' \
    grep -Eq '^stream news letter is paused since 2.*Z by [^ ]+: wrong list$' out
run 0 'list for programs' list --json
ok 'all of them' json '[(p["kind"], p["name"]) for p in j["paused"]] ==
    [("domain", "example.com"), ("domain", "other.example"),
    ("stream", "example.com"), ("stream", "news letter")]'
ok 'with a note or none' json '[p["note"] for p in j["paused"]] ==
    [None, None, None, "wrong list"]'
run 65 'a note of two lines' pause news --note $'a\nb'
run 65 'which of them' resume example.com
run 0 'dry run' resume other.example --dry-run
ok 'would be' grep -q '^domain other.example would be resumed$' out
run 0 'resume' resume other.example
run 1 'it is not paused any more' resume other.example
sed -i '/other.example/d; /news letter/d' bulkhead.conf
run 0 'resume what is configured no more' resume 'news letter'
run 0 'resume by its kind' resume example.com --stream
run 0 'list' list --json
ok 'one is left' json '[(p["kind"], p["name"]) for p in j["paused"]] ==
    [("domain", "example.com")]'

# policyd answers
cat >policyd.py <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind("policyd.sock")
s.listen(5)
print("ready", flush=True)
while True:
    c, _ = s.accept()
    data = b""
    while not data.endswith(b"\n\n"):
        got = c.recv(4096)
        if not got:
            break
        data += got
    with open("asked", "ab") as f:
        f.write(data)
    with open("answer", "rb") as f:
        c.sendall(f.read())
    c.close()
PY
answer() { printf '%s\n' "$@" '' >answer; : >asked; }
answer 'action=DUNNO'
coproc FAKE { exec /usr/bin/python3 policyd.py; }
pid=$FAKE_PID
read -r _ <&"${FAKE[0]}"
answer 'action=DUNNO' 'bucket={"limit": "v6", "value": "2001:db8::/64", "rate": "9/s", "burst": 9, "used": 4, "full_at": 1796112000}' \
    'bucket={"limit": "google", "value": "", "rate": "20000/h", "burst": 500, "used": 501, "full_at": 1796112000}' \
    'bucket=nonsense' 'news=1' 'more=1'
run 0 'show' show
ok 'asked for all' cmp -s asked <(printf 'request=bulkhead_limits\n\n')
ok 'sorted' test "$(awk '{ print $1 }' out | tr '\n' ' ')" = 'LIMIT google v6 ... '
ok 'what is used and left' \
    grep -Eq '^v6 +2001:db8::/64 +9/s +4 +5  2026-12-01T08:00:00Z$' out
ok 'there is more' grep -q 'and more' out
run 0 'show for programs' show --json
ok 'of policyd' json 'j["source"] == "policyd" and j["more"]'
ok 'buckets' json 'j["buckets"][0] == {"limit": "google", "value": None,
    "rate": "20000/h", "burst": 500, "used": 501, "left": 0,
    "full_at": 1796112000}'
answer 'action=DUNNO'
run 0 'show one value' show v6 2001:DB8::5
ok 'asked for it as keys have it' cmp -s asked \
    <(printf 'request=bulkhead_limits\nname=v6\nvalue=2001:db8::/64\n\n')
ok 'it is full' grep -Eq '^v6 +2001:db8::/64 +9/s +0 +9  ' out
answer 'action=450 4.3.0 rates.db: locked'
run 69 'policyd says no' show
ok 'and why' grep -q 'policyd says: 450 4.3.0 rates.db: locked' err
answer 'nonsense=1'
run 0 'policyd talks nonsense' show
ok 'told' grep -q 'is no answer' err
answer 'action=DUNNO' 'count=3'
run 0 'reset' reset each Example.COM
ok 'asked' cmp -s asked \
    <(printf 'request=bulkhead_limit_reset\nname=each\nvalue=example.com\n\n')
ok 'counted' grep -q '^3 buckets are full again$' out
run 0 'reset for programs' reset each --json
ok 'counted' json 'j == {"limit": "each", "value": None, "count": 3,
    "dry_run": False}'
answer 'action=DUNNO' 'bucket={"limit": "each", "value": "a", "used": 4}'
run 0 'reset as a dry run' reset each --dry-run
ok 'only looked' cmp -s asked <(printf 'request=bulkhead_limits\nname=each\n\n')
ok 'counted' grep -q '^1 bucket would be full again$' out
answer 'action=DUNNO'
run 0 'resume' resume example.com
ok 'told policyd' cmp -s asked <(printf 'request=bulkhead_refresh\n\n')
ok 'no complaint' test ! -s err
kill "$pid" && wait "$pid" 2>/dev/null
pid=

# policyd is down again
run 0 'reset in the store' reset each
ok 'nothing was used' grep -q '^0 buckets are full again$' out
exec 9<>store/rates.lock
ok 'somebody else keeps the rates' /usr/bin/python3 -c 'import fcntl, struct
fcntl.fcntl(9, 37, struct.pack("hhqqi4x", 1, 0, 0, 0, 0))'
run 69 'reset beside another owner' reset each
ok 'names him' grep -q 'keeps the rates of this store' err
exec 9<&-
rm -rf store
run 69 'no store at all' list
ok 'the limits are told all the same' grep -q '^google' out
run 69 'neither for programs' list --json
ok 'half an answer is none' test ! -s out

echo "1..$count"
