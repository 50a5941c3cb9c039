package sampo.transport

import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.google.gson.JsonPrimitive
import groovy.transform.CompileStatic

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.atomic.AtomicInteger

/**
 * JSON-RPC 2.0 in both directions over one connection: pairs answers with requests, hands progress to its request, answers
 * requests of the server on worker threads, cancels either way.
 */
@CompileStatic
class RpcPeer {
    private final MessageSink sink
    private final AtomicInteger ids = new AtomicInteger()
    private final Map<Integer, RpcCall> open = new ConcurrentHashMap<>()
    private final Map<String, Closure<?>> handlers = new ConcurrentHashMap<>()
    private final Map<String, Closure<?>> notifications = new ConcurrentHashMap<>()
    private final Map<String, Future<?>> answering = new ConcurrentHashMap<>()
    private final ExecutorService workers
    /** Hears what could not be understood; never null. */
    Closure<?> log = { String line -> }

    /** @param workers threads that answer requests of the server at a time */
    RpcPeer(MessageSink sink, int workers = 4) {
        this.sink = sink
        this.workers = Executors.newFixedThreadPool(workers, MessageSocket.daemons('sampo-answer'))
    }

    RpcCall request(String method, JsonObject params = new JsonObject(), Closure<?> onProgress = null) {
        RpcCall call = new RpcCall(ids.incrementAndGet(), method, onProgress, this)
        open.put(call.id, call)
        send(message(new JsonPrimitive(call.id), method, params)).whenComplete { Object sent, Throwable failed ->
            if (failed != null && open.remove(call.id) != null) call.answer.completeExceptionally(BridgeFault.lost(1006, failed.message))
        }
        return call
    }

    void notify(String method, JsonObject params = new JsonObject()) {
        send(message(null, method, params))
    }

    void notifyCancelled(int id) {
        JsonObject params = new JsonObject()
        params.addProperty('id', id)
        notify('$/cancelRequest', params)
    }

    /** `handler` gets a ServerRequest and returns the result as JsonElement; what it throws becomes an error answer. */
    void onRequest(String method, Closure<?> handler) {
        handlers.put(method, handler)
    }

    /** `handler` gets the params, on the thread that reads from the server. */
    void onNotification(String method, Closure<?> handler) {
        notifications.put(method, handler)
    }

    /** Takes one text message in. */
    void receive(String text) {
        JsonObject message
        try {
            message = JsonParser.parseString(text).asJsonObject
        } catch (RuntimeException broken) {
            log.call("a message that is no JSON object was passed over: ${broken.message}" as String)
            return
        }
        try {
            if (!message.has('method')) settle(message)
            else if (message.has('id')) answer(message)
            else hear(message.get('method').asString, paramsOf(message))
        } catch (RuntimeException broken) {
            // An exception in a listener would close the socket.
            log.call("a message was passed over: ${broken}" as String)
        }
    }

    /** Every open request fails with `fault`; nothing is answered any more. */
    void end(BridgeFault fault) {
        workers.shutdownNow()
        for (RpcCall call : new ArrayList<RpcCall>(open.values())) {
            open.remove(call.id)
            call.answer.completeExceptionally(fault)
        }
    }

    private void settle(JsonObject message) {
        JsonElement id = message.get('id')
        if (id == null || id.isJsonNull()) {
            log.call("the server could not read a message: ${message.get('error')}" as String)
            return
        }
        RpcCall call = id.isJsonPrimitive() && id.asJsonPrimitive.isNumber() ? open.remove(id.asInt) : null
        if (call == null) {
            log.call("an answer to no request: $id" as String)
            return
        }
        JsonElement error = message.get('error')
        if (error != null && error.isJsonObject()) call.answer.completeExceptionally(BridgeFault.fromAnswer(error.asJsonObject))
        else call.answer.complete(message.has('result') ? message.get('result') : JsonNull.INSTANCE)
    }

    private void hear(String method, JsonObject params) {
        if (method == '$/progress') {
            JsonElement id = params.get('id')
            RpcCall call = id != null && id.asJsonPrimitive.isNumber() ? open.get(id.asInt) : null
            if (call?.onProgress != null) call.onProgress.call(params.getAsJsonObject('value'))
        } else if (method == '$/cancelRequest') {
            Future<?> work = answering.get(params.get('id').toString())
            if (work != null) work.cancel(true)
        } else {
            Closure<?> handler = notifications.get(method)
            if (handler != null) handler.call(params)
        }
    }

    private void answer(JsonObject message) {
        JsonElement id = message.get('id')
        String method = message.get('method').asString
        JsonObject params = paramsOf(message)
        Closure<?> handler = handlers.get(method)
        if (handler == null) {
            send(errorAnswer(id, -32601, "this viewer has no method $method" as String))
            return
        }
        String key = id.toString()
        // Held back until it is listed, so that a cancellation finds it.
        CompletableFuture<?> listed = new CompletableFuture<>()
        Future<?> work = workers.submit({
            try {
                listed.join()
                JsonElement result = (JsonElement) handler.call(new ServerRequest(method, params, sink))
                JsonObject reply = envelope(id)
                reply.add('result', result ?: JsonNull.INSTANCE)
                send(reply)
            } catch (Throwable failed) {
                boolean taken = Thread.interrupted()
                send(errorAnswer(id, taken ? -32800 : -32000, failed.message ?: failed.class.simpleName))
            } finally {
                answering.remove(key)
            }
        } as Runnable)
        answering.put(key, work)
        listed.complete(null)
    }

    private CompletableFuture<?> send(JsonObject message) {
        return sink.sendText(message.toString())
    }

    private static JsonObject paramsOf(JsonObject message) {
        JsonElement params = message.get('params')
        return params != null && params.isJsonObject() ? params.asJsonObject : new JsonObject()
    }

    private static JsonObject envelope(JsonElement id) {
        JsonObject message = new JsonObject()
        message.addProperty('jsonrpc', '2.0')
        if (id != null) message.add('id', id)
        return message
    }

    private static JsonObject message(JsonElement id, String method, JsonObject params) {
        JsonObject message = envelope(id)
        message.addProperty('method', method)
        message.add('params', params)
        return message
    }

    private static JsonObject errorAnswer(JsonElement id, int code, String text) {
        JsonObject message = envelope(id)
        JsonObject error = new JsonObject()
        error.addProperty('code', code)
        error.addProperty('message', text)
        message.add('error', error)
        return message
    }
}
