import java.io.File;
import java.util.ArrayList;
import java.util.List;

/** A Kafka node (broker and controller): formats its folder when that is new, then runs. Arguments: its folder, the cluster id, the folder to remove, SCRAM users. */
public final class KafkaNode {
    private KafkaNode() {}

    public static void main(String[] args) throws Exception {
        String folder = args[0];
        String properties = folder + "/server.properties";
        ParentWatch.start(args[2]);
        if (!new File(folder, "data/meta.properties").exists()) {
            List<String> format = new ArrayList<>(List.of("format", "-t", args[1], "-c", properties));
            for (int user = 3; user < args.length; user++) format.addAll(List.of("--add-scram", args[user]));
            if (kafka.tools.StorageTool.execute(format.toArray(new String[0]), System.out) != 0) System.exit(1);
        }
        kafka.Kafka.main(new String[] {properties});
    }
}
