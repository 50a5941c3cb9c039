package sampo.transport

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import groovy.transform.CompileStatic

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.StandardCharsets

/** Pixels on the wire: 4 bytes little-endian length of the header, the header in JSON, the bytes. */
@CompileStatic
class BinaryFrame {
    /** Name by which a later text message takes these bytes. */
    final String blob
    /** raw: 8-bit samples, interleaved, row by row; png and jpeg: a file. */
    final String encoding
    final int width
    final int height
    final int channels
    final byte[] bytes

    BinaryFrame(String blob, String encoding, int width, int height, int channels, byte[] bytes) {
        this.blob = blob
        this.encoding = encoding
        this.width = width
        this.height = height
        this.channels = channels
        this.bytes = bytes
    }

    /** The frame as one message. */
    ByteBuffer message() {
        JsonObject header = new JsonObject()
        header.addProperty('blob', blob)
        header.addProperty('encoding', encoding)
        header.addProperty('width', width)
        header.addProperty('height', height)
        header.addProperty('channels', channels)
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8)
        ByteBuffer buffer = ByteBuffer.allocate(4 + text.length + bytes.length).order(ByteOrder.LITTLE_ENDIAN)
        buffer.putInt(text.length).put(text).put(bytes)
        buffer.flip()
        // Java 17 and 21 scramble the bytes of a buffer in little-endian order when they mask them.
        return buffer.order(ByteOrder.BIG_ENDIAN)
    }

    /** @throws IllegalArgumentException when the message is no frame */
    static BinaryFrame read(ByteBuffer message) {
        ByteBuffer buffer = message.duplicate().order(ByteOrder.LITTLE_ENDIAN)
        if (buffer.remaining() < 4) throw new IllegalArgumentException('a binary message shorter than its length field')
        int length = buffer.getInt()
        if (length < 0 || length > buffer.remaining())
            throw new IllegalArgumentException("a header of $length bytes in a message of ${message.remaining()}" as String)
        byte[] text = new byte[length]
        buffer.get(text)
        JsonObject header = JsonParser.parseString(new String(text, StandardCharsets.UTF_8)).asJsonObject
        byte[] bytes = new byte[buffer.remaining()]
        buffer.get(bytes)
        return new BinaryFrame(header.get('blob').asString, header.get('encoding').asString, header.get('width').asInt,
            header.get('height').asInt, header.get('channels').asInt, bytes)
    }
}
