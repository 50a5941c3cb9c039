package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.event.ActionEvent
import javafx.scene.control.Button
import javafx.scene.control.Tab
import javafx.scene.control.TabPane
import javafx.scene.control.Tooltip
import javafx.scene.input.KeyCode
import javafx.scene.input.KeyCodeCombination
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.lib.gui.QuPathGUI
import sampo.glue.Workspace
import sampo.transport.ConnectionFile

/** Puts SAMPO into a running QuPath: menu, toolbar button, tool, tab. Installing twice changes nothing. */
@CompileStatic
class Plugin {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static final String BUTTON_ID = 'sampo'
    private static Plugin installed

    final QuPathGUI gui
    final Controller controller
    private final Tab tab

    private Plugin(QuPathGUI gui, File stateFolder) {
        this.gui = gui
        Workspace workspace = new Workspace(stateFolder)
        workspace.log = { String line -> LOGGER.info(line) }
        controller = new Controller(gui, workspace)
        tab = new Tab('SAMPO', new SampoPane(controller).node)
        tab.closable = false
        tab.tooltip = new Tooltip('Click a few nuclei, get all nuclei of that type')
        controller.openPanel = { -> show() }
    }

    /** For the extension and for startup scripts; safe from any thread. */
    static void install(Object qupath, File stateFolder = ConnectionFile.stateFolder()) {
        if (qupath == null) return
        Platform.runLater {
            if (installed != null) return
            try {
                installed = new Plugin((QuPathGUI) qupath, stateFolder)
                installed.register()
            } catch (Throwable broken) {
                installed = null
                LOGGER.error('SAMPO could not be installed', broken)
            }
        }
    }

    /** The installed plugin; null before. */
    static Plugin get() { return installed }

    private void register() {
        gui.installCommand('Extensions>SAMPO>Show the SAMPO panel', { show() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Find all in view', { controller.findInView() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Find all in the selected annotation', { controller.findInSelection() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Find all in the whole image', { controller.findInImage() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Classify the selected objects', { controller.classifySelected() } as Runnable)
        gui.installCommand('Extensions>SAMPO>Refine', { controller.refine() } as Runnable)
        gui.toolManager.installTool(controller.tool.tool, new KeyCodeCombination(KeyCode.J))
        gui.analysisTabPane.tabs.add(tab)
        if (!gui.toolBar.items.any { it.id == BUTTON_ID }) {
            Button button = new Button('SAMPO')
            button.id = BUTTON_ID
            button.focusTraversable = false
            button.tooltip = new Tooltip('Click a few nuclei, get all nuclei of that type')
            button.setOnAction { ActionEvent event -> show() }
            // Near the left: at the default window size the toolbar's right end is folded away.
            gui.toolBar.items.add(Math.min(2, gui.toolBar.items.size()), button)
        }
        new Keys(controller).install()
    }

    /** Shows the panel and takes the click tool in hand. */
    void show() {
        gui.showAnalysisPaneProperty().set(true)
        gui.analysisTabPane.selectionModel.select(tab)
        controller.start()
    }
}
