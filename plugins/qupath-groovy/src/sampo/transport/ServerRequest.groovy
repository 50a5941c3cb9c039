package sampo.transport

import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** A request of the server, for the one who answers it. */
@CompileStatic
class ServerRequest {
    final String method
    final JsonObject params
    private final MessageSink sink

    ServerRequest(String method, JsonObject params, MessageSink sink) {
        this.method = method
        this.params = params
        this.sink = sink
    }

    /** Sends a frame that the answer will name. @throws java.util.concurrent.CompletionException when it did not leave */
    void send(BinaryFrame frame) {
        sink.sendBinary(frame.message()).join()
    }

    /** Whether the server has taken its request back. */
    boolean isCancelled() {
        return Thread.currentThread().isInterrupted()
    }
}
