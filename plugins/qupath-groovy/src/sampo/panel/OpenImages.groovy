package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import qupath.fx.dialogs.Dialogs
import qupath.lib.gui.QuPathGUI
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.images.ImageData
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import sampo.glue.ImageSession
import sampo.glue.Workspace

import java.awt.image.BufferedImage
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap

/** The sessions of the images that viewers show, by image and plane. */
@CompileStatic
class OpenImages {
    static final String NO_IMAGE = 'No image is open: open one first.'
    private final QuPathGUI gui
    private final Workspace workspace
    private final PanelState state
    private final Work work
    final HierarchyNews news
    private final Map<ImageData<?>, Map<String, ImageSession>> sessions = Collections.synchronizedMap(new WeakHashMap<ImageData<?>, Map<String, ImageSession>>())

    OpenImages(QuPathGUI gui, Workspace workspace, PanelState state, Work work) {
        this.gui = gui
        this.workspace = workspace
        this.state = state
        this.work = work
        this.news = new HierarchyNews(gui, work)
    }

    /** The session of an open image, if there is one; for drawing. */
    ImageSession sessionOf(ImageData<BufferedImage> data, int z, int t) {
        return sessions.get(data)?.get("$z,$t" as String)
    }

    /** The session of the active viewer, if there is one. */
    ImageSession getCurrent() {
        QuPathViewer viewer = gui.viewer
        return viewer?.imageData == null ? null : sessionOf(viewer.imageData, viewer.ZPosition, viewer.TPosition)
    }

    /** On a worker: the session of what a viewer shows, made when there is none. */
    synchronized ImageSession make(ImageData<BufferedImage> data, int z, int t) {
        ImageSession known = sessionOf(data, z, t)
        if (known != null) return known
        ImageSession made = workspace.session(data, z, t)
        made.placer.telling = { PathObjectHierarchy hierarchy, Closure<?> tell -> news.tell(hierarchy, tell) }
        sessions.computeIfAbsent(data) { ImageData<?> key -> new ConcurrentHashMap<String, ImageSession>() }.put("$z,$t" as String, made)
        return made
    }

    /** Runs `body` with the session of the active viewer, on a worker, connected and with a pixel size. */
    void withSession(Closure<?> body) {
        QuPathViewer viewer = gui.viewer
        ImageData<BufferedImage> data = viewer?.imageData
        if (data == null) {
            work.say(NO_IMAGE)
            return
        }
        int z = viewer.ZPosition, t = viewer.TPosition
        work.start {
            if (!workspace.connected) workspace.connect(true)
            ImageSession session = make(data, z, t)
            if (session.image.pixelSizeMicrons == null && session.pixelSize == null && !askPixelSize(session)) return
            body.call(session)
        }
    }

    /** On a worker: makes the session ahead of the first click, so that kept clicks show. */
    void prepare() {
        QuPathViewer viewer = gui.viewer
        ImageData<BufferedImage> data = viewer?.imageData
        if (data == null || !workspace.connected) return
        make(data, viewer.ZPosition, viewer.TPosition)
        work.later { state.touched() }
    }

    private boolean askPixelSize(ImageSession session) {
        CompletableFuture<Double> answer = new CompletableFuture<>()
        Platform.runLater {
            answer.complete(Dialogs.showInputDialog('SAMPO',
                'This image does not say how large a pixel is.\nMicrometres per pixel (20x is about 0.5, 40x about 0.25):', 0.5d))
        }
        Double microns = answer.get()
        if (microns == null || !(microns > 0)) {
            work.later { work.say('Without a pixel size nothing can be searched: set it in the Image tab, or give it when asked.') }
            return false
        }
        session.pixelSize = microns
        return true
    }
}
