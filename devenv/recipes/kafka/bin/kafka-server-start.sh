#!/bin/sh
# Starts a broker from a file, without looking at the environment: kafka-server-start.sh FILE
set -eu
[ "${1:-}" ] || { echo "usage: kafka-server-start.sh server.properties" >&2; exit 2; }
if [ "$1" = -daemon ]; then echo "-daemon is not for a container: start it in the foreground" >&2; exit 2; fi
export LOG_CONFIG=log4j2.properties ARCHIVE=broker KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xms128m -Xmx512m}"
exec /opt/kafka/bin/kafka-run-class.sh kafka.Kafka "$@"
