#!/usr/bin/env bash
# Everything that docs/human-centred.md shows, in an empty folder: walk.sh FOLDER
# Needs `audit` and its Python on the PATH. Each command is printed, run, and must end with the exit code that stands
# before it. WITNESS_PORT says where the witness listens.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir "$1"
cd "$1"
export AUDIT_PASSPHRASE='only for this example' COLUMNS=110 NO_COLOR=1 PYTHONWARNINGS=ignore
port=${WITNESS_PORT:-8099}

run() {
  local code=0
  printf '$ %s\n' "$2"
  eval "$2" 2>&1 || code=$?
  if [ "$code" != 0 ]; then echo "exit code $code"; fi
  if [ "$code" != "$1" ]; then
    echo "walk.sh: exit code $1 was expected" >&2
    exit 1
  fi
}
part() { printf '\n## %s\n\n' "$1"; }

python "$here/material.py" . 2>/dev/null
mkdir keys
for name in design release clinician regulator safety ombud root-a root-b; do audit keys new keys/$name >/dev/null; done
audit keys new keys/device --kind x25519 >/dev/null
sed "s/AUTHOR/$(audit keys fingerprint keys/design.pub.pem | cut -d' ' -f2)/" "$here/policy.yaml" >policy.yaml

part 'Design'
run 0 'sed -n "/^human_centred/,/^data/p; /^fairness/,/^seal/p" policy.yaml'
run 0 'sed -n 2,6p dataset.yaml'

part 'Development: a refusal'
run 1 'audit ship model.h5 --policy policy.yaml --run spring 2>/dev/null'

part 'Development: a looser threshold'
run 0 'sed "s/min: 0.9,/min: 0.85,/" policy.yaml >looser.yaml'
run 1 'audit ship model.h5 --policy looser.yaml --run summer 2>/dev/null | head -4'
run 0 'audit log show summer | grep -A 3 "changed since"'
run 0 'audit log'

part 'Whom to believe'
run 0 'audit log witness new w1.skey --name witness.example/w1 >w1.vkey'
run 0 'audit log show | sed -n "s/^its key *//p" >log.vkey'
run 0 'audit keys trust init trust.yaml --name seizure-alarm --expires 2099-01-01T00:00:00Z --root keys/root-a.pub.pem --root keys/root-b.pub.pem --image keys/release.pub.pem --verdict keys/release.pub.pem --release keys/release.pub.pem --waiver keys/safety.pub.pem --waiver keys/ombud.pub.pem --approver clinical=keys/clinician.pub.pem --approver regulatory=keys/regulator.pub.pem --log-key log.vkey --witness w1.vkey'
run 0 'for root in root-a root-b; do audit keys trust sign trust.yaml --key keys/$root.key.pem; done'
run 0 'audit keys list --trust trust.yaml'
run 0 'trust="--trust trust.yaml --root keys/root-a.pub.pem --root keys/root-b.pub.pem"'
printf '$ %s\n' "audit log witness serve --key w1.skey --log log.vkey --state w1 --listen 127.0.0.1:$port &"
audit log witness serve --key w1.skey --log log.vkey --state w1 --listen "127.0.0.1:$port" >witness.log 2>&1 &
witness=$!
trap 'kill $witness 2>/dev/null || true' EXIT
for _ in $(seq 100); do if [ -s witness.log ]; then break; fi; sleep 0.1; done
run 0 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"

part 'A waiver'
run 0 'audit waive reports/spring --rule "fairness[1]" --group sex=female --limit 0.75 --reason "a study with women is under way; carers are told" --expires $(date -u -d "+90 days" +%Y-%m-%dT00:00:00Z) --key keys/safety.key.pem $trust'
run 0 'waiver=$(audit waive reports/spring $trust | sed -n "s/^waiver //p")'
run 1 'audit release reports/spring --policy policy.yaml --run autumn $trust'
run 2 'audit waive reports/spring --cosign $waiver --key keys/safety.key.pem $trust 2>&1 | grep -A 1 error'
run 2 'audit waive reports/spring --cosign $waiver --key keys/design.key.pem $trust 2>&1 | grep -A 1 error'
run 0 'audit waive reports/spring --cosign $waiver --key keys/ombud.key.pem $trust 2>/dev/null'

part 'The release'
run 0 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"
run 0 'audit release reports/spring --policy policy.yaml --run autumn $trust'
run 0 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"
run 1 'audit gate reports/autumn --policy policy.yaml $trust'

part 'Approvals'
run 0 'audit approve reports/autumn --role clinical --reason "benefit outweighs what is missed; carers know" --email dr@clinic.example --key keys/clinician.key.pem $trust'
run 2 'audit approve reports/autumn --role regulatory --reason "complete" --key keys/clinician.key.pem $trust 2>&1 | grep -A 1 error'
run 0 'audit approve reports/autumn --role regulatory --reason "files are complete, the waiver has an end" --key keys/regulator.key.pem $trust'

part 'The gate'
run 0 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"
run 0 'audit log anchor pinned.checkpoint'
run 0 'cat pinned.checkpoint'
run 0 'audit gate reports/autumn --policy policy.yaml --checkpoint pinned.checkpoint $trust'

part 'To a third party'
run 0 'audit log prove autumn --out autumn.tlog-proof --log-key log.vkey --witness w1.vkey'
run 0 'mkdir elsewhere && cp autumn.tlog-proof log.vkey w1.vkey elsewhere/'
run 0 '(cd elsewhere && audit log check-proof autumn.tlog-proof --log-key log.vkey --witness w1.vkey)'

part 'Incidents'
cp audit.db before.db
run 0 'audit incident autumn --kind missed-alarm --group sex=female --reason "found in the morning; the device had been worn"'
run 0 'audit incident autumn --kind false-alarm --group sex=male --reason "Jane Doe, 12 Mill Lane, was woken" --key keys/clinician.key.pem'
run 0 'audit revoke autumn --reason "it misses more seizures than we told carers" --key keys/clinician.key.pem'
run 1 'audit gate reports/autumn --policy policy.yaml --checkpoint pinned.checkpoint $trust'
run 0 'audit log show autumn | sed -n "1,/^ *\$/p; /approval, entry/,\$p"'

part 'A name that got in'
run 0 'audit log redact 27 --reason "a name and an address in the reason" --key keys/clinician.key.pem'
run 0 'audit log show 27'
run 1 'grep -c "Jane Doe" audit.db'
run 0 'audit log verify --log-key log.vkey --checkpoint pinned.checkpoint | head -1'

part 'The archive'
run 0 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"
run 0 'audit log export archive >/dev/null && ls archive'
run 0 'cp log.vkey w1.vkey pinned.checkpoint elsewhere/'
run 0 'python3 -I archive/check.py --log-key "$(cat elsewhere/log.vkey)" --witness "$(cat elsewhere/w1.vkey)" --checkpoint elsewhere/pinned.checkpoint'
run 0 'audit log verify --log-key log.vkey --witness w1.vkey --checkpoint pinned.checkpoint'

part 'What a keeper cannot take back'
run 0 'cp audit.db newest.db && cp before.db audit.db'
run 1 "audit log witness ask http://127.0.0.1:$port --witness w1.vkey"
run 1 'audit incident autumn --kind false-alarm --group sex=male --reason "woken again"'
run 0 'cp newest.db audit.db'
