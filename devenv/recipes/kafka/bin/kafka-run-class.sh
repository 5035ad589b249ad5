#!/bin/sh
# Runs one of Kafka's classes; the broker and the tools differ in their heap and in their log configuration only.
: "${KAFKA_HEAP_OPTS:=-Xms64m -Xmx256m}"
: "${KAFKA_JVM_PERFORMANCE_OPTS:=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true}"
: "${CDS_OPTS:=-Xshare:auto -XX:SharedArchiveFile=/opt/kafka/${ARCHIVE:-tools}.jsa}"
: "${KAFKA_LOG4J_OPTS:=-Dlog4j2.configurationFile=file:/opt/kafka/config/${LOG_CONFIG:-tools-log4j2.properties}}"
if [ -n "${JMX_PORT:-}" ]; then
    host="${KAFKA_JMX_HOSTNAME:-$(hostname -i 2>/dev/null | cut -d' ' -f1)}"
    KAFKA_JMX_OPTS="${KAFKA_JMX_OPTS:--Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false} \
-Dcom.sun.management.jmxremote.port=$JMX_PORT -Dcom.sun.management.jmxremote.rmi.port=$JMX_PORT -Djava.rmi.server.hostname=$host"
fi
# These are lists of options, split at blanks as upstream's scripts do.
# shellcheck disable=SC2086
exec /opt/java/bin/java $CDS_OPTS -Xlog:disable -Xlog:all=error:stderr \
    $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS ${KAFKA_JMX_OPTS:-} $KAFKA_LOG4J_OPTS ${KAFKA_GC_LOG_OPTS:-} \
    -cp "$(cat /opt/kafka/classpath)" ${KAFKA_OPTS:-} "$@"
