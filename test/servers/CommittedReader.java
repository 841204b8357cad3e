import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** What Kafka's own consumer reads of a topic that is committed: a line for each message, its partition and value. */
public final class CommittedReader {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("isolation.level", "read_committed");
    settings.put("key.deserializer", StringDeserializer.class.getName());
    settings.put("value.deserializer", StringDeserializer.class.getName());
    Properties uncommitted = new Properties();
    uncommitted.putAll(settings);
    uncommitted.put("isolation.level", IsolationLevel.READ_UNCOMMITTED.toString());
    List<TopicPartition> partitions = new ArrayList<>();
    try (KafkaConsumer<String, String> reader = new KafkaConsumer<>(settings);
        KafkaConsumer<String, String> other = new KafkaConsumer<>(uncommitted);
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
      reader.partitionsFor(args[1]).forEach(each -> partitions.add(new TopicPartition(each.topic(), each.partition())));
      // Transactions that are open now are waited for.
      var ends = other.endOffsets(partitions);
      reader.assign(partitions);
      reader.seekToBeginning(partitions);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (partitions.stream().anyMatch(each -> reader.position(each) < ends.get(each))) {
        if (System.nanoTime() > deadline) throw new IllegalStateException("a transaction stays open");
        for (var message : reader.poll(Duration.ofMillis(200))) {
          out.write(message.partition() + "\t" + message.value());
          out.newLine();
        }
      }
    }
  }
}
