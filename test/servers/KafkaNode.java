import java.io.File;

/** A Kafka node (broker and controller): formats its folder when that is new, then runs. Arguments: its folder, the cluster id, the folder to remove. */
public final class KafkaNode {
    private KafkaNode() {}

    public static void main(String[] args) throws Exception {
        String folder = args[0];
        String properties = folder + "/server.properties";
        ParentWatch.start(args[2]);
        if (!new File(folder, "data/meta.properties").exists()) {
            String[] format = {"format", "-t", args[1], "-c", properties};
            if (kafka.tools.StorageTool.execute(format, System.out) != 0) System.exit(1);
        }
        kafka.Kafka.main(new String[] {properties});
    }
}
