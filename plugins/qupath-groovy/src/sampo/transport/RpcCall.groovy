package sampo.transport

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.ExecutionException

/** A request under way. */
@CompileStatic
class RpcCall {
    final int id
    final String method
    /** Completes with `result`, or exceptionally with a BridgeFault. */
    final CompletableFuture<JsonElement> answer = new CompletableFuture<>()
    /** Hears the `value` of each progress message, on the thread that reads from the server. */
    final Closure<?> onProgress
    private final RpcPeer peer

    RpcCall(int id, String method, Closure<?> onProgress, RpcPeer peer) {
        this.id = id
        this.method = method
        this.onProgress = onProgress
        this.peer = peer
    }

    /** Asks the server to stop; the answer still comes, as RequestCancelled. */
    void cancel() {
        if (!answer.isDone()) peer.notifyCancelled(id)
    }

    /** Waits for the result; an interrupt cancels the request. Never on the thread of the viewer's windows. @throws BridgeFault */
    JsonElement await() {
        try {
            return answer.get()
        } catch (ExecutionException | CompletionException failed) {
            Throwable cause = failed.cause
            throw cause instanceof BridgeFault ? (BridgeFault) cause : new BridgeFault('InternalError', -32603,
                cause?.message ?: 'the request failed', 'see the log of the viewer', false, null, cause)
        } catch (InterruptedException interrupted) {
            cancel()
            Thread.currentThread().interrupt()
            throw new BridgeFault('RequestCancelled', -32800, 'the request was cancelled', 'send it again when you want it', false, null, interrupted)
        }
    }

    JsonObject awaitObject() {
        return await().asJsonObject
    }
}
