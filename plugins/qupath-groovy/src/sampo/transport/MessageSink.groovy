package sampo.transport

import groovy.transform.CompileStatic

import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture

/** What an RpcPeer sends through. */
@CompileStatic
interface MessageSink {
    CompletableFuture<?> sendText(String message)

    CompletableFuture<?> sendBinary(ByteBuffer message)
}
