package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.common.ColorTools
import qupath.lib.images.ImageData
import qupath.lib.objects.classes.PathClass
import sampo.transport.BridgeClient
import sampo.transport.BridgeFault
import sampo.transport.BridgeState
import sampo.transport.ConnectionFile
import sampo.transport.ServerLauncher
import sampo.transport.ServerRequest

import java.awt.image.BufferedImage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedDeque
import java.util.concurrent.CopyOnWriteArrayList

/**
 * SAMPO in one viewer program: the connection, the intents, and a session for each image plane that was worked on. It has no
 * windows, so that the panel and scripts without a window do the same. Its methods wait for the server: never call them on the
 * thread of the viewer's windows.
 */
@CompileStatic
class Workspace {
    static final String VERSION = '0.2.0'

    final BridgeClient client
    final ServerLauncher launcher
    private final Map<String, ImageSession> sessions = new ConcurrentHashMap<>()
    private final List<Closure<?>> intentListeners = new CopyOnWriteArrayList<>()
    /** By intent: in which image each judgement of this run was made, the last one last. */
    private final Map<String, Deque<Judging>> judgementOrder = new ConcurrentHashMap<>()
    private volatile List<Intent> intents = Collections.emptyList()
    /** Hears lines for a log; never null. */
    Closure<?> log = { String line -> }

    Workspace(File stateFolder = ConnectionFile.stateFolder(), String clientName = 'qupath-sampo') {
        client = new BridgeClient(stateFolder, clientName, VERSION)
        launcher = new ServerLauncher(stateFolder)
        client.log = { String line -> log.call(line) }
        client.onRequest('image/readRegion') { ServerRequest request -> sessionOf(request.params, 'the image is not open in QuPath any more').image.answer(request) }
        client.onNotification('objects/publish') { JsonObject params -> find(params)?.published(params) }
        client.onResume {
            for (ImageSession session : allSessions()) session.restore()
            refreshIntents()
        }
    }

    /** Connects; starts a server first where none runs and `start` is true. @throws BridgeFault */
    void connect(boolean start) {
        try {
            client.connect()
        } catch (BridgeFault fault) {
            if (!start || !(fault.name in ['NoServer', 'ConnectionRefused'])) throw fault
            launcher.start()
            client.connect()
        }
        refreshIntents()
    }

    boolean isConnected() { return client.state == BridgeState.CONNECTED }

    List<Intent> getIntents() { return intents }

    /** `listener` gets the list after each change. */
    void onIntents(Closure<?> listener) { intentListeners.add(listener) }

    List<Intent> refreshIntents() {
        JsonObject answer = client.ask('intent/list')
        intents = Json.objects(answer, 'intents').collect { JsonObject one -> new Intent(one) }
        for (Closure<?> listener : intentListeners) listener.call(intents)
        return intents
    }

    Intent intent(String id) { return intents.find { Intent one -> one.id == id } }

    Intent intentNamed(String name) { return intents.find { Intent one -> one.name == name } }

    /** The intent of a class name, made when there is none. @param color for a new one; null lets the server choose */
    Intent intentFor(String className, List<Integer> color = null) {
        Intent known = intentNamed(className) ?: refreshIntents().find { Intent one -> one.name == className }
        return known ?: createIntent(className, color)
    }

    Intent createIntent(String name, List<Integer> color) {
        JsonObject made = client.ask('intent/create', Json.object(name: name, color: color))
        refreshIntents()
        return new Intent(made.getAsJsonObject('intent'))
    }

    void updateIntent(String id, String name, List<Integer> color) {
        client.ask('intent/update', Json.object(intentId: id, name: name, color: color))
        refreshIntents()
    }

    /** Another name for a class; objects shown follow it, and are ours as before. */
    void renameIntent(Intent intent, String name) {
        updateIntent(intent.id, name, null)
        PathClass renamed = PathClass.fromString(name, ColorTools.packRGB(intent.color[0], intent.color[1], intent.color[2]))
        for (ImageSession session : allSessions()) session.placer.rename(intent.name, renamed)
    }

    void forgetExamples(String id) {
        client.ask('intent/update', Json.object(intentId: id, clearExemplars: true))
        refreshIntents()
    }

    void deleteIntent(String id) {
        client.ask('intent/delete', Json.object(intentId: id))
        refreshIntents()
    }

    protected Deque<Judging> judgedLast(String intentId) {
        return judgementOrder.computeIfAbsent(intentId) { String id -> new ConcurrentLinkedDeque<Judging>() }
    }

    /** The versions of an intent, newest first. */
    List<JsonObject> versions(String id) {
        return Json.objects(client.ask('checkpoint/list', Json.object(intentId: id)), 'checkpoints').sort { JsonObject one -> -one.get('round').asInt }
    }

    /**
     * The session of a plane; the same one as long as the viewer shows the same image data. Reads pixels the first time.
     * @throws IllegalArgumentException when `data` is null @throws IOException
     */
    synchronized ImageSession session(ImageData<BufferedImage> data, int z = 0, int t = 0) {
        if (data == null) throw new IllegalArgumentException('no image is open: open one first')
        ViewerImage image = ViewerImage.of(data, z, t)
        String key = image.uri
        ImageSession known = sessions.get(key)
        if (known != null && known.data.is(data)) return known
        ImageSession made = new ImageSession(this, data, image)
        // The image was closed and opened again: its clicks come along.
        if (known != null) {
            for (Click click : known.clicks) if (!made.clicks.any { Click one -> one.same(click) }) made.clicks.add(click)
            known.close()
        }
        sessions.put(key, made)
        return made
    }

    /** Every session, of open and of earlier images. */
    List<ImageSession> allSessions() { return new ArrayList<ImageSession>(sessions.values()) }

    void close() {
        for (ImageSession session : allSessions()) session.cancel()
        client.close()
    }

    private ImageSession find(JsonObject params) {
        String imageId = Json.text(params, 'imageId')
        return sessions.values().find { ImageSession session -> session.imageId == imageId }
    }

    private ImageSession sessionOf(JsonObject params, String otherwise) {
        ImageSession session = find(params)
        if (session == null) throw new IllegalStateException(otherwise)
        return session
    }
}
