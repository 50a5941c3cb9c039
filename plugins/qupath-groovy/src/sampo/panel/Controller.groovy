package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.beans.value.ObservableValue
import qupath.lib.gui.QuPathGUI
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json
import sampo.glue.Workspace
import sampo.transport.BridgeFault
import sampo.transport.BridgeState

/**
 * What the panel, the tool and the keys do, by the part of the work. Public methods of the parts are called on the FX thread
 * and return at once; the work runs on threads of its own, and what it brings comes back through properties.
 */
@CompileStatic
class Controller {
    final QuPathGUI gui
    final Workspace workspace
    final PanelState state = new PanelState()
    final Work work = new Work(state)
    final OpenImages images
    final IntentActions intentActions = new IntentActions(this)
    final ClickActions clicking = new ClickActions(this)
    final FindActions finding = new FindActions(this)
    final JudgeActions judgeActions = new JudgeActions(this)
    final ReviewQueue review = new ReviewQueue(this)
    final RefineActions refining = new RefineActions(this)
    final ClickTool tool
    final ViewerWatch viewers
    /** Shows the panel. */
    Closure<?> openPanel = { -> }

    Controller(QuPathGUI gui, Workspace workspace) {
        this.gui = gui
        this.workspace = workspace
        images = new OpenImages(gui, workspace, state, work)
        tool = new ClickTool(this)
        viewers = new ViewerWatch(this)
        workspace.onIntents { List<Intent> list -> Platform.runLater { intentActions.show(list) } }
        workspace.client.onState { BridgeState now, BridgeFault why ->
            Platform.runLater {
                state.connection.set(now)
                state.fault.set(why)
            }
        }
        viewers.start()
        gui.imageDataProperty().addListener { ObservableValue<?> of, Object old, Object now -> imageChanged() }
        state.intent.addListener { ObservableValue<?> of, Object old, Object now -> state.touched() }
    }

    /** The panel was opened: connect, take the tool in hand. */
    void start() {
        if (!state.active.get()) {
            state.active.set(true)
            connect(true)
        }
        gui.toolManager.selectedTool = tool.tool
    }

    /** @param startServer whether one is started where none runs */
    void connect(boolean startServer) {
        if (state.connection.get() == BridgeState.CONNECTED || state.connection.get() == BridgeState.CONNECTING) return
        state.connection.set(BridgeState.CONNECTING)
        work.start {
            try {
                workspace.connect(startServer)
                String version = workspace.client.server.getAsJsonObject('server').get('version').asString
                String device = Json.text(workspace.client.server.getAsJsonObject('device'), 'used')
                work.later { work.say("Connected to SAMPO $version, running on ${deviceName(device)}." as String) }
                images.prepare()
            } catch (BridgeFault failed) {
                work.later {
                    state.connection.set(BridgeState.OFFLINE)
                    state.fault.set(failed)
                }
            }
        }
    }

    ImageSession getCurrentSession() { return images.current }

    /** The objects that are selected in the image of the active viewer. */
    List<PathObject> selection() {
        ImageData<?> data = gui.imageData
        return data == null ? new ArrayList<PathObject>() : new ArrayList<PathObject>(data.hierarchy.selectionModel.selectedObjects)
    }

    /** A viewer shows another image. */
    void imageChanged() {
        review.forget()
        state.outcome.set(null)
        if (state.active.get()) work.start { images.prepare() }
        state.touched()
    }

    private static String deviceName(String device) {
        return device == null || device == 'cpu' ? 'the processor (CPU)' : device
    }
}
