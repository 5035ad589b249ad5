#!/bin/sh
# Each of Kafka's tools by its customary name, which is looked up in tools.txt beside this script.
set -eu
name="$(basename "$0" .sh)"
class="$(sed -n "s/^$name //p" /opt/kafka/bin/tools.txt)"
# JMX and the broker's own heap are not for a tool that runs beside it.
unset JMX_PORT KAFKA_HEAP_OPTS KAFKA_JMX_OPTS KAFKA_LOG4J_OPTS
# The two that health checks use, in their plainest form, without a virtual machine.
if [ "$#" = 2 ] && [ "$name $1" = "kafka-broker-api-versions --bootstrap-server" ]; then
    exec kafka-probe api-versions "$2"
fi
if [ "$name" = kafka-topics ] && [ "$#" = 3 ]; then
    case "$*" in
        "--list --bootstrap-server "*) exec kafka-probe topics "$3" ;;
        "--bootstrap-server $2 --list") exec kafka-probe topics "$2" ;;
    esac
fi
exec /opt/kafka/bin/kafka-run-class.sh "$class" "$@"
