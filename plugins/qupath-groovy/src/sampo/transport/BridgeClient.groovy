package sampo.transport

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors
import java.util.concurrent.ScheduledExecutorService
import java.util.concurrent.TimeUnit

/**
 * A viewer's connection to the server of a state folder: finds it, greets it, asks and answers, and when it breaks, comes
 * back by itself and lets those who registered with `onResume` restore what the server has forgotten.
 *
 * Blocking methods are never for the thread of the viewer's windows. Listeners are called on threads of this class.
 */
@CompileStatic
class BridgeClient {
    static final String PROTOCOL_VERSION = '1.0'
    private static final List<Integer> WAITS_MS = [300, 700, 1500, 3000, 5000, 10000]

    final File stateFolder
    private final JsonObject clientName
    private final String protocolVersion
    private final Map<String, Closure<?>> requests = new ConcurrentHashMap<>()
    private final Map<String, Closure<?>> notifications = new ConcurrentHashMap<>()
    private final List<Closure<?>> stateListeners = new CopyOnWriteArrayList<>()
    private final List<Closure<?>> resumeListeners = new CopyOnWriteArrayList<>()
    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor(MessageSocket.daemons('sampo-connect'))
    private final Object changing = new Object()
    private volatile Connection connection
    private volatile BridgeState state = BridgeState.OFFLINE
    private volatile BridgeFault lastFault
    private int failedTries = 0
    private boolean wasConnected = false
    /** Hears lines for a log; never null. */
    Closure<?> log = { String line -> }

    BridgeClient(File stateFolder, String name, String version, String protocolVersion = PROTOCOL_VERSION) {
        this.stateFolder = stateFolder
        this.protocolVersion = protocolVersion
        this.clientName = new JsonObject()
        clientName.addProperty('name', name)
        clientName.addProperty('version', version)
    }

    BridgeState getState() { return state }

    /** Why the last try to connect failed, or the connection broke; null while connected. */
    BridgeFault getLastFault() { return lastFault }

    /** The answer to `initialize` of the present connection; null while there is none. */
    JsonObject getServer() { return connection?.server }

    /** Whether the server has a method. */
    boolean has(String method) {
        JsonObject server = getServer()
        return server != null && server.getAsJsonObject('capabilities').getAsJsonArray('methods').any { JsonElement one -> one.asString == method }
    }

    /** A limit of the server; null where it has none of this name, as older servers have not. */
    Long limit(String name) {
        JsonElement limit = getServer()?.getAsJsonObject('limits')?.get(name)
        return limit != null && limit.isJsonPrimitive() ? limit.asLong : null
    }

    /** `listener` gets the state and the fault behind it (or null), at every change. */
    void onState(Closure<?> listener) { stateListeners.add(listener) }

    /** `restore` is called after a connection came back, before the state says CONNECTED: images are to be opened again. */
    void onResume(Closure<?> restore) { resumeListeners.add(restore) }

    /** `handler` answers a request of the server: gets a ServerRequest, returns a JsonElement. */
    void onRequest(String method, Closure<?> handler) {
        requests.put(method, handler)
        connection?.peer?.onRequest(method, handler)
    }

    void onNotification(String method, Closure<?> handler) {
        notifications.put(method, handler)
        connection?.peer?.onNotification(method, handler)
    }

    /**
     * Connects, unless connected already.
     * @throws BridgeFault NoServer, ConnectionRefused, ServerSilent, TokenRefused, NotSampo, VersionMismatch
     */
    void connect() {
        synchronized (changing) {
            if (state == BridgeState.CONNECTED) return
            if (state == BridgeState.CLOSED) throw new IllegalStateException('this client is closed')
            tell(BridgeState.CONNECTING, null)
            try {
                enter()
            } catch (BridgeFault fault) {
                tell(BridgeState.OFFLINE, fault)
                throw fault
            }
        }
    }

    /** @throws BridgeFault ConnectionLost when there is no connection now */
    RpcCall request(String method, JsonObject params = new JsonObject(), Closure<?> onProgress = null) {
        Connection now = connection
        if (now == null) throw lastFault ?: BridgeFault.lost(1006, 'not connected')
        return now.peer.request(method, params, onProgress)
    }

    /** Asks and waits. @throws BridgeFault */
    JsonObject ask(String method, JsonObject params = new JsonObject()) {
        JsonElement answer = request(method, params).await()
        return answer.isJsonObject() ? answer.asJsonObject : new JsonObject()
    }

    /** Says goodbye and stays away. */
    void close() {
        synchronized (changing) {
            if (state == BridgeState.CLOSED) return
            tell(BridgeState.CLOSED, null)
            Connection now = connection
            connection = null
            if (now != null) {
                now.peer.notify('exit')
                now.socket.close()
                now.peer.end(BridgeFault.lost(1000, 'the viewer disconnected'))
            }
            scheduler.shutdownNow()
        }
    }

    /** Finds the server, opens a connection, greets. The caller holds `changing`. */
    private void enter() {
        Connection fresh = new Connection(this)
        ConnectionInfo info = ConnectionFile.read(stateFolder)
        fresh.open(info)
        requests.each { String method, Closure<?> handler -> fresh.peer.onRequest(method, handler) }
        notifications.each { String method, Closure<?> handler -> fresh.peer.onNotification(method, handler) }
        fresh.server = greet(fresh.peer)
        fresh.peer.notify('initialized')
        connection = fresh
        boolean again = wasConnected
        wasConnected = true
        failedTries = 0
        if (again) resume()
        if (connection === fresh) tell(BridgeState.CONNECTED, null)
    }

    private JsonObject greet(RpcPeer peer) {
        JsonObject params = new JsonObject()
        params.addProperty('protocolVersion', protocolVersion)
        params.add('client', clientName)
        try {
            return peer.request('initialize', params).answer.get(30, TimeUnit.SECONDS).asJsonObject
        } catch (java.util.concurrent.TimeoutException silent) {
            peer.end(BridgeFault.lost(1006, 'no answer'))
            throw new BridgeFault('ServerSilent', -32061, 'the server took the connection but does not answer',
                'it may be loading or suspended: wait a moment, or stop it and start it again', true, null, silent)
        } catch (java.util.concurrent.ExecutionException refused) {
            Throwable cause = refused.cause
            if (cause instanceof BridgeFault && ((BridgeFault) cause).name == 'VersionMismatch') {
                JsonElement theirs = ((BridgeFault) cause).data.get('server')
                throw BridgeFault.versionMismatch(protocolVersion, theirs?.asString ?: 'another', cause)
            }
            throw cause instanceof BridgeFault ? (BridgeFault) cause : BridgeFault.lost(1006, cause?.message)
        }
    }

    private void resume() {
        for (Closure<?> restore : resumeListeners) {
            try {
                restore.call()
            } catch (RuntimeException failed) {
                log.call("not everything could be restored: ${failed.message}" as String)
            }
        }
    }

    /** Of a connection that has ended. */
    protected void ended(Connection which, int code, String reason) {
        which.peer.end(BridgeFault.lost(code, reason))
        synchronized (changing) {
            if (connection !== which) return
            connection = null
            if (state == BridgeState.CLOSED) return
            tell(BridgeState.RECONNECTING, BridgeFault.lost(code, reason))
            scheduleTry()
        }
    }

    private void scheduleTry() {
        int wait = WAITS_MS[Math.min(failedTries, WAITS_MS.size() - 1)]
        scheduler.schedule({ tryAgain() } as Runnable, wait, TimeUnit.MILLISECONDS)
    }

    private void tryAgain() {
        synchronized (changing) {
            if (state != BridgeState.RECONNECTING) return
            try {
                enter()
            } catch (BridgeFault fault) {
                failedTries++
                tell(BridgeState.RECONNECTING, fault)
                // Another version does not go away by waiting.
                if (fault.name == 'VersionMismatch') tell(BridgeState.OFFLINE, fault)
                else scheduleTry()
            }
        }
    }

    private void tell(BridgeState now, BridgeFault fault) {
        state = now
        lastFault = fault
        for (Closure<?> listener : stateListeners) listener.call(now, fault)
    }

    /** One connection: socket and peer. */
    @CompileStatic
    protected static class Connection implements MessageListener, MessageSink {
        final RpcPeer peer
        MessageSocket socket
        JsonObject server
        private final BridgeClient owner

        Connection(BridgeClient owner) {
            this.owner = owner
            this.peer = new RpcPeer(this)
            this.peer.log = { String line -> owner.log.call(line) }
        }

        void open(ConnectionInfo info) { socket = MessageSocket.open(info, this) }

        @Override
        void onText(String message) { peer.receive(message) }

        @Override
        void onClosed(int code, String reason) { owner.ended(this, code, reason) }

        @Override
        CompletableFuture<?> sendText(String message) { return socket.sendText(message) }

        @Override
        CompletableFuture<?> sendBinary(ByteBuffer message) { return socket.sendBinary(message) }
    }
}
