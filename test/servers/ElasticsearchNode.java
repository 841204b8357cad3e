import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** A single Elasticsearch node without installation: its settings are the properties file in its home folder. */
public final class ElasticsearchNode {
    private ElasticsearchNode() {}

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        ParentWatch.start(args[0]);
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(home.resolve("node.properties"))) {
            properties.load(reader);
        }
        Settings.Builder settings = Settings.builder();
        properties.forEach((key, value) -> settings.put(key.toString(), value.toString()));
        LogConfigurator.loadLog4jPlugins();
        LogConfigurator.configureESLogging();
        Environment env =
            InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), home.resolve("config"), () -> "node");
        PluginsLoader loader =
            PluginsLoader.createPluginsLoader(PluginsLoader.loadModulesBundles(env.modulesDir()), Set.of(), Map.of());
        Node node = new Node(env, loader);
        node.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (java.io.IOException error) {
                error.printStackTrace();
            }
        }));
        System.out.println("Elasticsearch node started");
        Thread.currentThread().join();
    }
}
