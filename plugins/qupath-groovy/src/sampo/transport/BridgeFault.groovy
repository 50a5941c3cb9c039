package sampo.transport

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/**
 * Something that went wrong between a viewer and the SAMPO server, in words for the person at the viewer.
 *
 * `name` and `code` are rows of the server's error table (docs/protocol.md), also for what only a client can notice:
 * NoServer, ConnectionRefused, ServerSilent, TokenRefused, NotSampo, VersionMismatch, ConnectionLost.
 */
@CompileStatic
class BridgeFault extends RuntimeException {
    final String name
    final int code
    /** What to do next, one sentence. */
    final String hint
    /** The same request may succeed later. */
    final boolean retryable
    /** The `data` member of the error as the server sent it; never null. */
    final JsonObject data

    BridgeFault(String name, int code, String message, String hint, boolean retryable, JsonObject data = null, Throwable cause = null) {
        super(message, cause)
        this.name = name
        this.code = code
        this.hint = hint
        this.retryable = retryable
        this.data = data ?: new JsonObject()
    }

    /** The fault as the server described it in the `error` member of an answer. */
    static BridgeFault fromAnswer(JsonObject error) {
        JsonElement given = error.get('data')
        JsonObject data = given != null && given.isJsonObject() ? given.asJsonObject : new JsonObject()
        int code = error.has('code') ? error.get('code').asInt : -32603
        return new BridgeFault(text(data, 'name', 'InternalError'), code, text(error, 'message', 'the server failed'),
            text(data, 'hint', 'see the server log'), data.has('retryable') && data.get('retryable').asBoolean, data)
    }

    static BridgeFault noServer(File connectionFile) {
        return new BridgeFault('NoServer', -32060, 'no SAMPO server runs on this computer' as String,
            "start it with the button Connect, or in a terminal: sampo serve (looked for ${connectionFile.path})" as String, true)
    }

    static BridgeFault damagedConnectionFile(File connectionFile) {
        return new BridgeFault('NoServer', -32060, "the connection file ${connectionFile.path} cannot be read" as String,
            'stop the server and start it again: it writes a new file', true)
    }

    static BridgeFault refused(ConnectionInfo info, boolean processRuns, Throwable cause) {
        return processRuns
            ? new BridgeFault('ConnectionRefused', -32061, "nothing answers at ${info.url}, though process ${info.pid} runs" as String,
                'a firewall may be in the way, or the connection file is from another server: stop it and start it again', true, null, cause)
            : new BridgeFault('ConnectionRefused', -32061, "the server of the connection file (process ${info.pid}) has ended" as String,
                'start it again with the button Connect, or in a terminal: sampo serve', true, null, cause)
    }

    static BridgeFault silent(ConnectionInfo info, Throwable cause) {
        return new BridgeFault('ServerSilent', -32061, "something listens at ${info.url} but does not answer" as String,
            'the server may be busy or suspended: wait, or stop it and start it again', true, null, cause)
    }

    /** The upgrade was answered with an HTTP status instead. */
    static BridgeFault notUpgraded(ConnectionInfo info, int status, String body, Throwable cause) {
        String said = body ? ": ${body.trim()}" : ''
        switch (status) {
            case 401: return new BridgeFault('TokenRefused', -32062, "the server does not accept the token of the connection file$said" as String,
                'each start of the server makes a new token: connect again; if that does not help, stop the server and start it again', true, null, cause)
            case 403: return new BridgeFault('TokenRefused', -32062, "the server refuses this client$said" as String,
                'connect through 127.0.0.1, on the computer on which the server runs', false, null, cause)
            case 503: return new BridgeFault('LimitExceeded', -32001, "the server has no room for another viewer$said" as String,
                'close a viewer that is connected, then connect again', true, null, cause)
            default: return new BridgeFault('NotSampo', -32061, "what answers at ${info.url} is no SAMPO server (HTTP status $status)" as String,
                'another program has taken the port: start the SAMPO server again, it takes a free one', true, null, cause)
        }
    }

    /** @param ours protocol version of this plugin; @param theirs that of the server */
    static BridgeFault versionMismatch(String ours, String theirs, Throwable cause = null) {
        String older = isOlder(theirs, ours) ? 'the server' : 'this plugin'
        return new BridgeFault('VersionMismatch', -32005, "this plugin speaks protocol $ours, the server $theirs" as String,
            "update $older: sampo plugin install qupath brings the plugin that fits the server" as String, false, null, cause)
    }

    static BridgeFault lost(int closeCode, String reason) {
        String why = CLOSE_REASONS.get(closeCode) ?: (reason ?: "the connection broke")
        return new BridgeFault('ConnectionLost', -32063, "$why before the answer came" as String,
            'the plugin connects again by itself; clicks and judgements are kept', true)
    }

    /** @param what the plugin needs and an older server lacks, a method or a few words */
    static BridgeFault notAvailable(String what) {
        return new BridgeFault('NotAvailable', -32006, "this server has no $what" as String,
            'it is older than this plugin: update the server', false)
    }

    /** One text for a message box: what happened, then what to do. */
    String sentence() {
        return "${capitalised(message)}. ${capitalised(hint)}." as String
    }

    private static final Map<Integer, String> CLOSE_REASONS = [
        1001: 'the server stopped',
        1006: 'the server ended suddenly',
        1009: 'a message was larger than the server allows',
        4001: 'the viewer read too slowly',
        4002: 'the viewer sent too many messages',
        4003: 'the viewer did not answer the server in time',
    ] as Map<Integer, String>

    private static boolean isOlder(String version, String than) {
        List<Integer> a = numbers(version), b = numbers(than)
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) if (a[i] != b[i]) return a[i] < b[i]
        return a.size() < b.size()
    }

    private static List<Integer> numbers(String version) {
        return version.split(/\D+/).findAll { String part -> !part.isEmpty() }.collect { String part -> Integer.parseInt(part) }
    }

    private static String capitalised(String sentence) {
        return sentence.isEmpty() ? sentence : sentence.substring(0, 1).toUpperCase() + sentence.substring(1)
    }

    private static String text(JsonObject of, String member, String otherwise) {
        JsonElement value = of.get(member)
        return value != null && value.isJsonPrimitive() ? value.asString : otherwise
    }
}
