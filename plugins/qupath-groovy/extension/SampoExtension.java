package sampo.extension;

import java.io.File;
import java.nio.file.Path;
import java.nio.file.Paths;
import qupath.lib.gui.QuPathGUI;
import qupath.lib.gui.extensions.QuPathExtension;

/**
 * SAMPO as a QuPath extension: the one compiled class of the plugin. Everything else is Groovy source beside it in the jar,
 * compiled by the QuPath that runs it, so that one jar fits QuPath 0.5, 0.6 and 0.7.
 */
public class SampoExtension implements QuPathExtension {
    @Override
    public void installExtension(QuPathGUI qupath) {
        ClassLoader own = SampoExtension.class.getClassLoader();
        Thread start = new Thread(() -> start(qupath, own), "sampo-extension");
        start.setDaemon(true);
        start.start();
    }

    private static void start(QuPathGUI qupath, ClassLoader own) {
        try {
            ClassLoader groovy = (ClassLoader) Class.forName("groovy.lang.GroovyClassLoader", true, own)
                .getConstructor(ClassLoader.class).newInstance(own);
            File state = (File) groovy.loadClass("sampo.transport.ConnectionFile").getMethod("stateFolder").invoke(null);
            groovy.loadClass("sampo.panel.Starter").getMethod("start", Object.class, File.class, File.class)
                .invoke(null, qupath, state, classes());
        } catch (Throwable broken) {
            System.getLogger("SAMPO").log(System.Logger.Level.ERROR, "SAMPO could not be started", broken);
        }
    }

    /** Where compiled classes are kept; a folder of its own below the user's home. */
    private static File classes() {
        Path home = Paths.get(System.getProperty("user.home"));
        String local = System.getenv("LOCALAPPDATA");
        String cache = System.getenv("XDG_CACHE_HOME");
        String os = System.getProperty("os.name").toLowerCase(java.util.Locale.ROOT);
        Path base = os.startsWith("windows") ? (local == null ? home.resolve("AppData/Local") : Paths.get(local))
            : os.startsWith("mac") ? home.resolve("Library/Caches")
            : cache != null && cache.startsWith("/") ? Paths.get(cache) : home.resolve(".cache");
        return base.resolve("sampo").resolve("qupath-classes").toFile();
    }

    @Override
    public String getName() {
        return "SAMPO";
    }

    @Override
    public String getDescription() {
        return "Click a few nuclei, get all nuclei of that type";
    }
}
