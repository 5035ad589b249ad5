import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/** Configures, formats and starts a broker in one virtual machine: upstream's image starts two, one after the other. */
public final class Launcher {
    private static final Path DEFAULTS = Path.of("/etc/kafka/docker/server.properties");
    private static final Path MOUNTED = Path.of("/mnt/shared/config/server.properties");
    private static final String SECRETS = "/etc/kafka/secrets/";
    private static final String CLUSTER = "5L6g3nShT-eMCtK--X86sw";

    /** Variables that are for the scripts and not for the broker, as in upstream's image. */
    private static final Set<String> NOT_PROPERTIES = Set.of(
            "KAFKA_VERSION", "KAFKA_HEAP_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JMX_PORT",
            "KAFKA_JMX_HOSTNAME", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_GC_LOG_OPTS", "KAFKA_LOG4J_ROOT_LOGLEVEL",
            "KAFKA_LOG4J_LOGGERS", "KAFKA_TOOLS_LOG4J_LOGLEVEL");

    public static void main(String[] arguments) throws Exception {
        Map<String, String> environment = new TreeMap<>(System.getenv());
        try {
            String text = configuration(environment);
            Path file = write(text);
            Properties properties = new Properties();
            properties.load(new StringReader(text));
            if (!formatted(properties)) {
                format(file, environment.getOrDefault("CLUSTER_ID", CLUSTER));
            }
            setLoggers(environment.getOrDefault("KAFKA_LOG4J_LOGGERS", ""));
            kafka.Kafka.main(new String[] {file.toString()});
        } catch (IllegalArgumentException problem) {
            System.err.println("kafka: " + problem.getMessage());
            System.exit(1);
        }
    }

    /** The mounted file plus the environment; or the environment alone; or, with neither, the defaults. */
    static String configuration(Map<String, String> environment) throws IOException {
        addListeners(environment);
        addKeyStores(environment);
        StringBuilder fromEnvironment = new StringBuilder();
        environment.forEach((name, value) -> {
            if (name.startsWith("KAFKA_") && !NOT_PROPERTIES.contains(name)) {
                fromEnvironment.append(property(name)).append('=').append(value.strip().replace("\n", "\\\n")).append('\n');
            }
        });
        String text = fromEnvironment.toString();
        if (Files.exists(MOUNTED)) {
            text = Files.readString(MOUNTED) + "\n" + text;
        } else if (text.isBlank()) {
            text = Files.readString(DEFAULTS);
        }
        Properties known = new Properties();
        known.load(new StringReader(text));
        if (!known.containsKey("log.dirs") && !known.containsKey("log.dir")) {
            text += "\nlog.dirs=/var/lib/kafka/data\n";
        }
        // After a crash the one node waits until its own old session has ended: 3 s of that are enough here, not 9.
        boolean alone = known.getProperty("process.roles", "").replace(" ", "").matches("broker,controller|controller,broker")
                && !known.getProperty("controller.quorum.voters", ",").contains(",");
        if (alone && !known.containsKey("broker.session.timeout.ms") && !known.containsKey("broker.heartbeat.interval.ms")) {
            text += "\nbroker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=1000\n";
        }
        return text;
    }

    /** KAFKA_A_B__C___D means a.b_c-d. */
    static String property(String variable) {
        return variable.substring("KAFKA_".length()).toLowerCase()
                .replace("___", "\0").replace("__", "\1").replace('_', '.').replace('\0', '-').replace('\1', '_');
    }

    private static void addListeners(Map<String, String> environment) {
        String roles = environment.getOrDefault("KAFKA_PROCESS_ROLES", "");
        String advertised = environment.getOrDefault("KAFKA_ADVERTISED_LISTENERS", "");
        if (roles.equals("controller")) {
            if (!advertised.isEmpty()) {
                throw new IllegalArgumentException("KAFKA_ADVERTISED_LISTENERS is not for a node that is only a controller");
            }
            environment.remove("KAFKA_ADVERTISED_LISTENERS");
        } else if (environment.getOrDefault("KAFKA_LISTENERS", "").isEmpty() && !advertised.isEmpty()) {
            environment.put("KAFKA_LISTENERS", advertised.replaceAll("://[^:]*:", "://0.0.0.0:"));
        }
    }

    /** Names of files under /etc/kafka/secrets become the properties that Kafka wants, for listeners named ...SSL. */
    private static void addKeyStores(Map<String, String> environment) throws IOException {
        if (!environment.getOrDefault("KAFKA_ADVERTISED_LISTENERS", "").contains("SSL://")) {
            return;
        }
        addStore(environment, "KAFKA_SSL_KEYSTORE");
        environment.put("KAFKA_SSL_KEY_PASSWORD", secret(environment, "KAFKA_SSL_KEY_CREDENTIALS"));
        String client = environment.getOrDefault("KAFKA_SSL_CLIENT_AUTH", "");
        if (client.contains("required") || client.contains("requested")) {
            addStore(environment, "KAFKA_SSL_TRUSTSTORE");
        }
        List.of("KAFKA_SSL_KEYSTORE", "KAFKA_SSL_TRUSTSTORE", "KAFKA_SSL_KEY").forEach(prefix -> {
            environment.remove(prefix + "_FILENAME");
            environment.remove(prefix + "_CREDENTIALS");
        });
    }

    private static void addStore(Map<String, String> environment, String prefix) throws IOException {
        String name = environment.get(prefix + "_FILENAME");
        if (name == null || !Files.exists(Path.of(SECRETS + name))) {
            throw new IllegalArgumentException(prefix + "_FILENAME must name a file in " + SECRETS);
        }
        environment.put(prefix + "_LOCATION", SECRETS + name);
        environment.put(prefix + "_PASSWORD", secret(environment, prefix + "_CREDENTIALS"));
    }

    private static String secret(Map<String, String> environment, String variable) throws IOException {
        String name = environment.get(variable);
        if (name == null || !Files.exists(Path.of(SECRETS + name))) {
            throw new IllegalArgumentException(variable + " must name a file in " + SECRETS);
        }
        return Files.readString(Path.of(SECRETS + name)).strip();
    }

    /** Writes the file for its owner only, because it may hold passwords; the second place is for a read-only root. */
    private static Path write(String text) throws IOException {
        Path directory = Path.of("/opt/kafka/config");
        if (!Files.isWritable(directory)) {
            directory = Files.createDirectories(Path.of("/tmp/kafka"));
        }
        Path file = directory.resolve("server.properties");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    private static boolean formatted(Properties properties) {
        List<String> directories = new ArrayList<>();
        for (String key : List.of("log.dirs", "log.dir", "metadata.log.dir")) {
            directories.addAll(List.of(properties.getProperty(key, "").split("\\s*,\\s*")));
        }
        return directories.stream().filter(one -> !one.isBlank())
                .allMatch(one -> Files.exists(Path.of(one.strip(), "meta.properties")));
    }

    private static void format(Path file, String cluster) {
        PrintStream out = System.out;
        String[] command = {"format", "--ignore-formatted", "--cluster-id=" + cluster, "-c", file.toString()};
        int code;
        try {
            code = kafka.tools.StorageTool.execute(command, out);
        } catch (RuntimeException problem) {
            throw new IllegalArgumentException("cannot format the data directory: " + problem.getMessage(), problem);
        }
        if (code != 0) {
            throw new IllegalArgumentException("cannot format the data directory");
        }
    }

    /** KAFKA_LOG4J_LOGGERS: "kafka.controller=WARN,state.change.logger=ERROR". */
    private static void setLoggers(String loggers) {
        for (String entry : loggers.split(",")) {
            String[] pair = entry.strip().split("=", 2);
            if (pair.length == 2) {
                org.apache.logging.log4j.core.config.Configurator.setLevel(
                        pair[0].strip(), org.apache.logging.log4j.Level.valueOf(pair[1].strip()));
            }
        }
    }
}
