package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.scene.control.Tab
import javafx.scene.control.Tooltip
import javafx.scene.input.KeyCode
import javafx.scene.input.KeyCodeCombination
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.lib.gui.QuPathGUI
import sampo.glue.Workspace

import java.util.concurrent.CompletableFuture

/** Puts SAMPO into a running QuPath: menu, tool, tab, keys. Installing twice changes nothing. */
@CompileStatic
class Plugin {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static volatile Plugin installed

    final QuPathGUI gui
    final Controller controller
    private Tab tab

    private Plugin(QuPathGUI gui, File stateFolder) {
        this.gui = gui
        Workspace workspace = new Workspace(stateFolder)
        workspace.log = { String line -> LOGGER.info(line) }
        controller = new Controller(gui, workspace)
        controller.openPanel = { -> show() }
    }

    /** Called by Starter, off the FX thread. @return the plugin, once it is installed */
    static Plugin install(Object qupath, File stateFolder) {
        if (installed != null) return installed
        // In steps, between which the thread of the windows does its other work.
        Plugin plugin = onFxThread { new Plugin((QuPathGUI) qupath, stateFolder) }
        onFxThread { plugin.makeTab() }
        onFxThread { plugin.register() }
        installed = plugin
        return plugin
    }

    private static <T> T onFxThread(Closure<T> body) {
        CompletableFuture<T> made = new CompletableFuture<>()
        Platform.runLater {
            try {
                made.complete(body.call())
            } catch (Throwable broken) {
                made.completeExceptionally(broken)
            }
        }
        return made.get()
    }

    protected void makeTab() {
        tab = new Tab('SAMPO', new SampoPane(controller).node)
        tab.closable = false
        tab.userData = this // for scripts that drive the panel
        tab.tooltip = new Tooltip('Click a few nuclei, get all nuclei of that type')
    }

    /** The installed plugin; null before. */
    static Plugin get() { return installed }

    protected void register() {
        gui.installCommand('Extensions>SAMPO>Find all in view', { controller.finding.inView(false) } as Runnable)
        gui.installCommand('Extensions>SAMPO>Find all in the selected annotation', { controller.finding.inSelection() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Find all in the whole image', { controller.finding.inImage() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Classify the selected objects', { controller.finding.classifySelected() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Refine', { controller.refining.refine() } as Runnable)
        gui.toolManager.installTool(controller.tool.tool, new KeyCodeCombination(KeyCode.J))
        gui.analysisTabPane.tabs.add(tab)
        new Keys(controller).install()
    }

    /** Shows the panel and takes the click tool in hand. */
    void show() {
        gui.showAnalysisPaneProperty().set(true)
        gui.analysisTabPane.selectionModel.select(tab)
        controller.start()
    }
}
