#!/bin/sh
# Runs a broker and a tool once while the image is built, and keeps the classes that they loaded (class data sharing).
set -eu
mkdir -p /var/lib/kafka/data
CDS_OPTS=-XX:ArchiveClassesAtExit=/opt/kafka/broker.jsa /etc/kafka/docker/run >/tmp/broker.log 2>&1 &
broker=$!
tries=0 # at most a minute
until devenv-healthcheck 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$broker"; then cat /tmp/broker.log; exit 1; fi
    sleep 0.2
done
/opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 --create --topic archive --partitions 1
seq 20 | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server localhost:9092 --topic archive
/opt/kafka/bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic archive --from-beginning \
    --max-messages 20 --group archive >/dev/null
CDS_OPTS=-XX:ArchiveClassesAtExit=/opt/kafka/tools.jsa \
    /opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 --describe
kill -TERM "$broker"
wait "$broker" || true
rm -rf /var/lib/kafka/data /tmp/broker.log /opt/kafka/config/server.properties
chmod 0644 /opt/kafka/*.jsa
ls -l /opt/kafka/*.jsa
