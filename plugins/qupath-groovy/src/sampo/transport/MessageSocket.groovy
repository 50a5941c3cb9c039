package sampo.transport

import groovy.transform.CompileStatic

import java.net.http.HttpClient
import java.net.http.HttpTimeoutException
import java.net.http.WebSocket
import java.net.http.WebSocketHandshakeException
import java.nio.ByteBuffer
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.ThreadFactory

/**
 * Whole messages over a WebSocket of `java.net.http`.
 *
 * Messages come in parts of at most 16,384 characters and are put together here; sends are chained, since a second one
 * before the first is done fails with "Send pending". Listeners run on a thread of their own, so that a long answer being
 * read never holds up the socket.
 */
@CompileStatic
class MessageSocket {
    static final String SUBPROTOCOL = 'sampo.v1'
    private static final int NORMAL = 1000
    private static final int BROKEN = 1006

    private final MessageListener listener
    private final ExecutorService reader
    private final Object sending = new Object()
    private volatile WebSocket socket
    private CompletableFuture<?> lastSend = CompletableFuture.completedFuture(null)
    private boolean closed = false

    private MessageSocket(MessageListener listener) {
        this.listener = listener
        this.reader = Executors.newSingleThreadExecutor(daemons('sampo-reader'))
    }

    /**
     * Opens the connection.
     * @throws BridgeFault ConnectionRefused, ServerSilent, TokenRefused, NotSampo
     */
    static MessageSocket open(ConnectionInfo info, MessageListener listener, Duration timeout = Duration.ofSeconds(10)) {
        MessageSocket messages = new MessageSocket(listener)
        HttpClient client = HttpClient.newBuilder().connectTimeout(timeout).build()
        try {
            client.newWebSocketBuilder()
                .subprotocols(SUBPROTOCOL)
                .header('Authorization', "Bearer ${info.token}" as String)
                .connectTimeout(timeout)
                .buildAsync(URI.create(info.url), messages.parts())
                .join()
            return messages
        } catch (CompletionException failed) {
            messages.reader.shutdown()
            throw explained(info, failed.cause ?: failed)
        } catch (IllegalArgumentException badUrl) {
            messages.reader.shutdown()
            throw BridgeFault.notUpgraded(info, 0, badUrl.message, badUrl)
        }
    }

    /** Sends after everything sent before; completes when the message has left. */
    CompletableFuture<?> sendText(String message) {
        return chain { WebSocket to -> to.sendText(message, true) }
    }

    CompletableFuture<?> sendBinary(ByteBuffer message) {
        return chain { WebSocket to -> to.sendBinary(message, true) }
    }

    /** Says goodbye after what was sent; `onClosed` follows. */
    void close() {
        chain { WebSocket to -> to.sendClose(NORMAL, '') }
    }

    /** Ends the connection at once. */
    void abort() {
        socket?.abort()
        ended(BROKEN, 'ended by this viewer')
    }

    private CompletableFuture<?> chain(Closure<CompletableFuture<WebSocket>> send) {
        synchronized (sending) {
            CompletableFuture<?> after = lastSend
            lastSend = after.handle { Object done, Throwable ignored -> null }
                .thenCompose { Object nothing -> (CompletionStage) send.call(socket) }
            return lastSend
        }
    }

    private WebSocket.Listener parts() {
        MessageSocket messages = this
        StringBuilder text = new StringBuilder()
        return new WebSocket.Listener() {
            @Override
            void onOpen(WebSocket opened) {
                // Here, since the first message may come before buildAsync() completes.
                messages.socket = opened
                opened.request(1)
            }

            @Override
            CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
                text.append(part)
                if (last) {
                    String message = text.toString()
                    text.setLength(0)
                    messages.deliver { messages.listener.onText(message) }
                }
                from.request(1)
                return null
            }

            @Override
            CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
                // The server sends no binary messages; one that comes is passed over.
                from.request(1)
                return null
            }

            @Override
            CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                messages.ended(code, reason)
                return null
            }

            @Override
            void onError(WebSocket from, Throwable error) {
                messages.ended(BROKEN, error.message ?: error.class.simpleName)
            }
        }
    }

    private void deliver(Runnable message) {
        if (!reader.isShutdown()) reader.execute(message)
    }

    private void ended(int code, String reason) {
        synchronized (sending) {
            if (closed) return
            closed = true
        }
        deliver { listener.onClosed(code, reason) }
        reader.shutdown()
    }

    private static BridgeFault explained(ConnectionInfo info, Throwable cause) {
        if (cause instanceof WebSocketHandshakeException) {
            WebSocketHandshakeException refused = (WebSocketHandshakeException) cause
            Object body = refused.response?.body()
            return BridgeFault.notUpgraded(info, refused.response?.statusCode() ?: 0, body instanceof String ? (String) body : '', cause)
        }
        if (cause instanceof HttpTimeoutException) return BridgeFault.silent(info, cause)
        if (cause instanceof ConnectException) return BridgeFault.refused(info, info.processRuns(), cause)
        if (cause instanceof IOException) return BridgeFault.notUpgraded(info, 0, cause.message, cause)
        return BridgeFault.refused(info, info.processRuns(), cause)
    }

    /** Threads that do not keep the viewer from ending. */
    static ThreadFactory daemons(String name) {
        return { Runnable work ->
            Thread thread = new Thread(work, name)
            thread.daemon = true
            return thread
        } as ThreadFactory
    }
}
