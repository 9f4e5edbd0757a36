package millrace.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Carries out the task of the environment until SIGTERM: exactly once, with two arguments.
 *
 * <p>The first is "plain" (state as JSON in RocksDB, all settings as they come) or "tuned" (compact state in memory, larger
 * batches); the second, the number of threads.
 */
public final class Main {
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean tuned = "tuned".equals(arguments[0]);
        Map<String, String> task = System.getenv();
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, task.get("TASK_RUN"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, task.get("TASK_KAFKA"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, task.get("TASK_FOLDER"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[1]);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        if (tuned) {
            settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
            settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
        }
        Start start = new Start(Path.of(task.get("TASK_FOLDER"), "started-" + task.get("TASK_PROCESS")));
        run(new KafkaStreams(topology(tuned, start, task.get("TASK_COMMANDS"), task.get("TASK_OUTCOMES")), settings));
    }

    private static Topology topology(boolean tuned, Start start, String commands, String outcomes) {
        KeyValueBytesStoreSupplier kept = tuned
                ? Stores.inMemoryKeyValueStore(Ledger.STORE)
                : Stores.persistentKeyValueStore(Ledger.STORE);
        Serde<Owner> form = tuned ? Codecs.binaryOwner() : Codecs.json(Owner.class);
        StoreBuilder<KeyValueStore<String, Owner>> owners = Stores.keyValueStoreBuilder(kept, Serdes.String(), form);
        return new Topology()
                .addSource("commands", Serdes.String().deserializer(), Codecs.json(Command.class).deserializer(), commands)
                .addProcessor("ledger", () -> new Ledger(start), "commands")
                .addStateStore(owners, "ledger")
                .addSink("outcomes", outcomes, Serdes.String().serializer(), Codecs.json(Outcome.class).serializer(),
                        "ledger");
    }

    private static void run(KafkaStreams streams) throws InterruptedException {
        CountDownLatch closed = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(CLOSE_LIMIT);
            closed.countDown();
        }));
        streams.start();
        closed.await();
    }
}
