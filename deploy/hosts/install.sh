#!/bin/bash
# Make this host what /etc/gas/host.env says: install the release that this file came with, and start the role's
# services. Run as root by gas-boot, once the release's signature was found right.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

dnf --quiet --assumeyes install python3.11 amazon-cloudwatch-agent
id gas >/dev/null 2>&1 || useradd --system --home-dir /var/lib/gas --shell /sbin/nologin gas
install -d -o gas -g gas -m 0750 /var/lib/gas
install -d -m 0755 /var/log/gas

# Nothing is fetched: all wheels are in the release, and their hashes in its lock.
python3.11 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --no-index --find-links "$here/wheels" --require-hashes -r "$here/requirements.lock"
"$here/venv/bin/pip" install --quiet --no-index --no-deps "$here"/wheels/genomics_annotation_service-*.whl
ln -sfn "$here" /opt/gas/current

# The load balancer asks for the health page by this host's address.
token=$(curl -sfX PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
address=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/local-ipv4)
sed -i "s/^GAS_ALLOWED_HOSTS=.*/&,$address/" /etc/gas/gas.env

case $ROLE in
  web) units="gas-secrets gas-migrate gas-web" ;;
  worker) units="gas-secrets gas-worker gas-drain gas-watch.timer" ;;
  control) units="gas-beat gas-flower" ;;
  *) echo "ROLE is '$ROLE', expected web, worker or control" >&2; exit 1 ;;
esac

ln -sfn /run/gas-credentials /etc/gas/credentials # secrets stay in memory
cp "$here"/hosts/systemd/* /etc/systemd/system/
for name in web worker beat flower migrate drain; do
  install -d "/etc/systemd/system/gas-$name.service.d"
  printf '[Service]\nStandardOutput=append:/var/log/gas/%s.log\nStandardError=inherit\n' "$name" \
    >"/etc/systemd/system/gas-$name.service.d/log.conf"
done
cp "$here/hosts/logrotate.conf" /etc/logrotate.d/gas

if [ "$ROLE" != control ]; then
  install -d -o gas -g gas /var/lib/gas/references
  aws s3 sync --only-show-errors "s3://$RELEASES_BUCKET/references/" /var/lib/gas/references
fi
if [ "$ROLE" = web ]; then
  env $(cat /etc/gas/gas.env) GAS_STATE_DIR=/var/lib/gas DJANGO_SETTINGS_MODULE=gas_project.settings \
    GAS_SECRET_KEY=for-collecting "$here/venv/bin/django-admin" collectstatic --noinput --verbosity 0
fi

sed "s/@GROUP@/$SERVICE\/$ROLE/" "$here/hosts/cloudwatch-agent.json" >/opt/aws/amazon-cloudwatch-agent/etc/gas.json
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s \
  -c file:/opt/aws/amazon-cloudwatch-agent/etc/gas.json

systemctl daemon-reload
systemctl enable --quiet --now $units

works() {
  case $ROLE in
    web) curl -sf -o /dev/null http://127.0.0.1:8000/healthz ;;
    worker) [ -e /var/lib/gas/run/worker-ready ] ;;
    control) systemctl is-active --quiet gas-beat gas-flower ;;
  esac
}
for _ in $(seq 120); do
  works && exit 0
  sleep 2
done
echo "the services of $ROLE did not come up within four minutes" >&2
exit 1
