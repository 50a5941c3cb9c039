import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.google.gson.JsonPrimitive
import com.sun.net.httpserver.HttpServer
import sampo.transport.BinaryFrame
import sampo.transport.BridgeClient
import sampo.transport.BridgeFault
import sampo.transport.BridgeState
import sampo.transport.ConnectionFile
import sampo.transport.ConnectionInfo
import sampo.transport.MessageListener
import sampo.transport.MessageSocket
import sampo.transport.ServerLauncher
import support.Picture
import support.TestServer

import java.nio.ByteBuffer
import java.time.Duration
import java.util.concurrent.CountDownLatch
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit

import static support.Checks.end
import static support.Checks.eventually
import static support.Checks.fails
import static support.Checks.test

JsonObject json(Map<String, ?> members) {
    def made = new JsonObject()
    members.each { name, value ->
        if (value instanceof JsonElement) made.add(name, value)
        else if (value instanceof Number) made.addProperty(name, value)
        else if (value instanceof Boolean) made.addProperty(name, value)
        else made.addProperty(name, value as String)
    }
    return made
}

JsonArray array(JsonElement... elements) {
    def made = new JsonArray()
    elements.each { made.add(it) }
    return made
}

File stateWith(String text) {
    File state = TestServer.folder('given')
    ConnectionFile.of(state).text = text
    return state
}

File stateFor(int port, long pid = ProcessHandle.current().pid(), String token = 'a token') {
    return stateWith(json(url: "ws://127.0.0.1:$port/rpc", token: token, pid: pid, protocolVersion: '1.0').toString())
}

BridgeClient client(File state) { return new BridgeClient(state, 'test', '1').tap { log = { String line -> println "  $line" } } }

// --- Finding the server

test('the state folder of each system') {
    File home = new File('/home/someone')
    assert ConnectionFile.stateFolder([:], 'Linux', home).path == '/home/someone/.local/state/sampo'
    assert ConnectionFile.stateFolder([XDG_STATE_HOME: '/var/state'], 'Linux', home).path == '/var/state/sampo'
    assert ConnectionFile.stateFolder([XDG_STATE_HOME: 'relative'], 'Linux', home).path == '/home/someone/.local/state/sampo'
    assert ConnectionFile.stateFolder([:], 'Mac OS X', home).path == '/home/someone/Library/Application Support/sampo'
    assert ConnectionFile.stateFolder([LOCALAPPDATA: '/local'], 'Windows 11', home).path == '/local/sampo'
    assert ConnectionFile.stateFolder([SAMPO_STATE: '/elsewhere'], 'Windows 11', home).path == '/elsewhere'
}

test('no server: says how to start one and where it looked') {
    File state = TestServer.folder('empty')
    def fault = fails(BridgeFault) { client(state).connect() }
    assert fault.name == 'NoServer'
    assert fault.hint.contains('sampo serve') && fault.hint.contains(state.path)
}

test('a damaged connection file') {
    for (String text : ['', '{', '[]', '{"url": 3}', '{"url":"ws://127.0.0.1:1/rpc","token":"t"}']) {
        def fault = fails(BridgeFault) { client(stateWith(text)).connect() }
        assert fault.name == 'NoServer' && fault.message.contains('cannot be read')
    }
}

test('a connection file whose server has ended') {
    def gone = new ProcessBuilder('true').start()
    gone.waitFor()
    int free = new ServerSocket(0).withCloseable { it.localPort }
    def fault = fails(BridgeFault) { client(stateFor(free, gone.pid())).connect() }
    assert fault.name == 'ConnectionRefused' && fault.message.contains('has ended')
}

test('a port on which nothing listens though the process runs') {
    int free = new ServerSocket(0).withCloseable { it.localPort }
    def fault = fails(BridgeFault) { client(stateFor(free)).connect() }
    assert fault.name == 'ConnectionRefused' && fault.message.contains('nothing answers')
}

test('another program on the port') {
    def other = HttpServer.create(new InetSocketAddress('127.0.0.1', 0), 0)
    other.start()
    try {
        def fault = fails(BridgeFault) { client(stateFor(other.address.port)).connect() }
        assert fault.name == 'NotSampo' && fault.message.contains('404')
    } finally {
        other.stop(0)
    }
}

test('a port that takes the connection and says nothing') {
    def silent = new ServerSocket(0)
    try {
        def info = new ConnectionInfo("ws://127.0.0.1:${silent.localPort}/rpc", 't', ProcessHandle.current().pid(), '1.0')
        def ignore = [onText: { m -> }, onClosed: { c, r -> }] as MessageListener
        def fault = fails(BridgeFault) { MessageSocket.open(info, ignore, Duration.ofMillis(300)) }
        assert fault.name == 'ServerSilent'
    } finally {
        silent.close()
    }
}

test('a url that is none') {
    for (String url : ['nonsense', 'http://127.0.0.1:1/', 'ws://', 'ws://127.0.0.1:99999/rpc']) {
        def fault = fails(BridgeFault) { client(stateWith("{\"url\":\"$url\",\"token\":\"t\",\"pid\":1,\"protocolVersion\":\"1.0\"}")).connect() }
        assert fault.name == 'NoServer' && fault.message.contains('cannot be read')
    }
}

test('every fault is two whole sentences') {
    def fault = BridgeFault.noServer(new File('/somewhere/connection.json'))
    assert fault.sentence() ==~ /[A-Z].+\. [A-Z].+\./
}

test('which of the two is older') {
    assert BridgeFault.versionMismatch('1.0', '2.0').hint.startsWith('update this plugin')
    assert BridgeFault.versionMismatch('2.0', '1.9').hint.startsWith('update the server')
}

// --- Frames

test('a binary frame goes there and back') {
    byte[] bytes = (0..<300).collect { it as byte } as byte[]
    def message = new BinaryFrame('one', 'raw', 10, 10, 3, bytes).message()
    int length = message.duplicate().order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt()
    assert JsonParser.parseString(new String(message.array(), 4, length, 'UTF-8')).asJsonObject.get('blob').asString == 'one'
    def read = BinaryFrame.read(message)
    assert read.blob == 'one' && read.encoding == 'raw' && read.width == 10 && read.channels == 3 && read.bytes == bytes
    fails(IllegalArgumentException) { BinaryFrame.read(ByteBuffer.wrap([1, 0] as byte[])) }
    fails(IllegalArgumentException) { BinaryFrame.read(ByteBuffer.wrap([9, 0, 0, 0, 1] as byte[])) }
}

// --- The real server

def server = new TestServer()

test('a wrong token: 401 in words') {
    def info = ConnectionFile.read(server.state)
    int port = URI.create(info.url).port
    def fault = fails(BridgeFault) { client(stateFor(port, info.pid, 'wrong')).connect() }
    assert fault.name == 'TokenRefused' && fault.code == -32062 && fault.hint.contains('connect again')
}

test('greeting: versions, methods, limits, device') {
    def bridge = client(server.state)
    def states = new CopyOnWriteArrayList()
    bridge.onState { state, fault -> states << state }
    bridge.connect()
    assert states == [BridgeState.CONNECTING, BridgeState.CONNECTED]
    assert bridge.server.get('protocolVersion').asString == '1.0'
    assert bridge.has('segment/prompt') && !bridge.has('no/such')
    bridge.connect() // once more changes nothing
    assert states.size() == 2
    bridge.close()
    assert states.last() == BridgeState.CLOSED
    fails(BridgeFault) { bridge.request('server/status') }
}

test('an older protocol than the server speaks') {
    def bridge = new BridgeClient(server.state, 'test', '1', '0.1')
    def fault = fails(BridgeFault) { bridge.connect() }
    assert fault.name == 'VersionMismatch' && fault.message.contains('0.1') && fault.hint.startsWith('update this plugin')
    assert bridge.state == BridgeState.OFFLINE
}

test('errors of the server keep name, code, hint and data') {
    def bridge = client(server.state)
    bridge.connect()
    def fault = fails(BridgeFault) { bridge.ask('intent/get', json(intentId: 'nobody')) }
    assert fault.name == 'IntentNotFound' && fault.code == -32030 && fault.hint && !fault.retryable
    fault = fails(BridgeFault) { bridge.ask('no/such') }
    assert fault.name == 'MethodNotFound'
    fault = fails(BridgeFault) { bridge.ask('intent/create', json(name: 3)) }
    assert fault.name == 'InvalidParams' && fault.data.getAsJsonArray('problems').size() > 0
    bridge.close()
}

test('a message of many parts comes whole') {
    def bridge = client(server.state)
    bridge.connect()
    def document = bridge.ask('rpc.discover')
    assert document.toString().length() > 40000 // of parts of at most 16,384
    assert document.getAsJsonArray('methods').size() > 20
    bridge.close()
}

test('sends of many threads at once all arrive, each is answered once') {
    def bridge = client(server.state)
    bridge.connect()
    def answered = new CopyOnWriteArrayList()
    def threads = (1..8).collect { Thread.start { 5.times { answered << bridge.ask('server/status').get('pid').asLong } } }
    threads*.join()
    assert answered.size() == 40 && answered.every { it == server.process.pid() }
    bridge.close()
}

test('a name of 5,000 letters in many scripts is refused or kept, never cut') {
    def bridge = client(server.state)
    bridge.connect()
    String name = 'Зелёный ✓ 細胞 '.repeat(20).trim()
    try {
        def intent = bridge.ask('intent/create', json(name: name)).getAsJsonObject('intent')
        assert intent.get('name').asString == name
    } catch (BridgeFault refused) {
        assert refused.name == 'InvalidParams'
    }
    def fault = fails(BridgeFault) { bridge.ask('intent/create', json(name: 'x'.repeat(5000))) }
    assert fault.name == 'InvalidParams'
    bridge.close()
}

def picture = Picture.demo()

/** A client whose image is `picture`. */
def opened = { BridgeClient bridge, Closure<?> before = { } ->
    def asked = new CopyOnWriteArrayList()
    bridge.onRequest('image/readRegion') { request ->
        asked << request.params
        before.call(request)
        return picture.answer(request)
    }
    bridge.connect()
    def image = bridge.ask('image/open', json(uri: 'picture', source: 'client', width: picture.width, height: picture.height, pixelSizeMicrons: 0.5))
    return [image: image, asked: asked]
}

def promptParams = { String imageId, String intentId ->
    def click = json(x: picture.lymphocyte.x, y: picture.lymphocyte.y)
    json(imageId: imageId, intents: array(json(intentId: intentId, clicks: array(click))), extent: json(type: 'image'))
}

test('pixels as binary frames, objects as progress before the answer') {
    def bridge = client(server.state)
    def (image, asked) = opened(bridge).with { [it.image, it.asked] }
    def intent = bridge.ask('intent/create', json(name: 'Lymphocyte')).getAsJsonObject('intent').get('intentId').asString
    def order = new CopyOnWriteArrayList()
    def streamed = new CopyOnWriteArrayList()
    def call = bridge.request('segment/prompt', promptParams(image.get('imageId').asString, intent)) { JsonObject value ->
        order << value.get('kind').asString
        value.getAsJsonArray('objects')?.each { streamed << it.asJsonObject.get('id').asString }
    }
    def found = call.awaitObject()
    assert asked.size() > 0 && asked.every { it.get('downsample').asDouble >= 1 }
    def features = found.getAsJsonObject('featureCollection').getAsJsonArray('features')
    assert features.size() > 20
    assert order.contains('report')
    // The answer corrects what streamed: it knows the whole image.
    def answered = features.collect { it.asJsonObject.get('id').asString }.toSet()
    assert streamed.toSet().intersect(answered).size() > 0.8 * answered.size()
    assert found.getAsJsonArray('candidates').size() == 1
    bridge.close()
}

test('a viewer that answers with an error: the request fails with its words') {
    def bridge = client(server.state)
    def image = opened(bridge, { request -> throw new IllegalStateException('the image was closed in the viewer') }).image
    def intent = bridge.ask('intent/create', json(name: 'Closed image')).getAsJsonObject('intent').get('intentId').asString
    def fault = fails(BridgeFault) { bridge.request('segment/prompt', promptParams(image.get('imageId').asString, intent)).await() }
    assert fault.name == 'ClientFailed' && fault.data.toString().contains('the image was closed in the viewer')
    bridge.close()
}

test('cancel reaches the worker that reads pixels, and the request is answered as cancelled') {
    def bridge = client(server.state)
    def reading = new CountDownLatch(1)
    def interrupted = new CountDownLatch(1)
    def image = opened(bridge, { request ->
        reading.countDown()
        try {
            Thread.sleep(60000)
        } catch (InterruptedException stopped) {
            interrupted.countDown()
            throw stopped
        }
    }).image
    def intent = bridge.ask('intent/create', json(name: 'Cancelled')).getAsJsonObject('intent').get('intentId').asString
    // Another place than the cached one.
    def params = promptParams(image.get('imageId').asString, intent)
    params.addProperty('pixelSizeMicrons', 0.31)
    def call = bridge.request('segment/prompt', params)
    assert reading.await(60, TimeUnit.SECONDS)
    call.cancel()
    def fault = fails(BridgeFault) { call.await() }
    assert fault.name == 'RequestCancelled'
    assert interrupted.await(60, TimeUnit.SECONDS)
    assert bridge.ask('server/status').get('pid').asLong == server.process.pid()
    bridge.close()
}

test('the server killed during a search: said, then connected again by itself, images restored') {
    def other = new TestServer()
    def bridge = client(other.state)
    def reading = new CountDownLatch(1)
    def image = opened(bridge, { request -> reading.countDown(); Thread.sleep(60000) }).image
    def resumed = new CopyOnWriteArrayList()
    bridge.onResume { resumed << bridge.ask('image/open', json(uri: 'picture', source: 'client', width: picture.width, height: picture.height)).get('imageId').asString }
    def states = new CopyOnWriteArrayList()
    bridge.onState { state, fault -> states << state }
    def intent = bridge.ask('intent/create', json(name: 'Kept')).getAsJsonObject('intent').get('intentId').asString
    def call = bridge.request('segment/prompt', promptParams(image.get('imageId').asString, intent))
    assert reading.await(60, TimeUnit.SECONDS)
    other.kill()
    def fault = fails(BridgeFault) { call.await() }
    assert fault.name == 'ConnectionLost' && fault.retryable && fault.message.contains('ended suddenly')
    eventually('it notices that nobody is there') { bridge.state == BridgeState.RECONNECTING && bridge.lastFault.name == 'ConnectionRefused' }
    fails(BridgeFault) { bridge.request('server/status') }
    other.start()
    eventually('it comes back') { bridge.state == BridgeState.CONNECTED }
    assert resumed.size() == 1
    assert bridge.ask('intent/get', json(intentId: intent)).getAsJsonObject('intent').get('name').asString == 'Kept'
    bridge.close()
    other.stop()
}

test('a server that is stopped says goodbye') {
    def other = new TestServer()
    def bridge = client(other.state)
    def faults = new CopyOnWriteArrayList()
    bridge.onState { state, fault -> if (fault != null) faults << fault }
    bridge.connect()
    other.stop()
    eventually('the end is noticed') { bridge.state == BridgeState.RECONNECTING }
    assert faults[0].message.contains('the server stopped')
    bridge.close()
}

test('Refine stopped from outside, and one with too few judgements, each in words') {
    def bridge = client(server.state)
    bridge.connect()
    def intent = bridge.ask('intent/create', json(name: 'Unjudged')).getAsJsonObject('intent').get('intentId').asString
    def fault = fails(BridgeFault) { bridge.ask('training/start', json(intentId: intent)) }
    assert fault.name == 'JudgementsTooFew' && fault.hint
    fault = fails(BridgeFault) { bridge.ask('training/stop', json(intentId: intent)) }
    assert fault.name == 'TrainingNotRunning'
    bridge.close()
}

// --- Starting a server

test('starts a server where none runs, by the command the installer noted') {
    File state = TestServer.folder('started')
    new File(state, ServerLauncher.COMMAND_FILE).text = TestServer.command().join('\n') + '\n'
    def launcher = new ServerLauncher(state, [PATH: ''])
    def info = launcher.start()
    try {
        def bridge = client(state)
        bridge.connect()
        assert bridge.ask('server/status').get('pid').asLong == info.pid
        bridge.close()
    } finally {
        ProcessHandle.of(info.pid).ifPresent { it.destroy() }
    }
}

test('a server that ends at once: its own words') {
    File state = TestServer.folder('wrong')
    new File(state, ServerLauncher.COMMAND_FILE).text = (TestServer.command() + ['--no-such-option']).join('\n')
    def fault = fails(BridgeFault) { new ServerLauncher(state, [PATH: '']).start() }
    assert fault.name == 'NoServer' && fault.message.startsWith('the server ended at once') && fault.hint.contains('server.log')
}

test('no way to start a server is known') {
    def fault = fails(BridgeFault) { new ServerLauncher(TestServer.folder('none'), [PATH: '/nowhere']).command() }
    assert fault.name == 'NoServer' && fault.hint.contains('sampo plugin install qupath')
}

test('the command comes from SAMPO_COMMAND, or from the PATH') {
    File state = TestServer.folder('commands')
    assert new ServerLauncher(state, [SAMPO_COMMAND: 'npx sampo', PATH: '']).command() == ['npx', 'sampo']
    File folder = TestServer.folder('bin')
    File program = new File(folder, 'sampo')
    program.text = ''
    program.executable = true
    assert new ServerLauncher(state, [PATH: "/nowhere${File.pathSeparator}${folder.path}" as String]).command() == [program.path]
}

// --- The corpus of messages, each on a connection of its own

def corpus = new File(TestServer.ROOT, 'test/corpus')
binding.setVariable('corpusState', server.state)
for (String folder : ['accept', 'reject']) for (File file : new File(corpus, folder).listFiles().sort())
    for (JsonElement row : JsonParser.parseString(file.getText('UTF-8')).asJsonArray)
        replay("$folder/${file.name}: ${row.asJsonObject.get('name').asString}", row.asJsonObject)

void replay(String name, JsonObject row) {
    test("corpus $name") {
        def heard = new CopyOnWriteArrayList<JsonObject>()
        def listener = [onText: { String m -> heard << JsonParser.parseString(m).asJsonObject }, onClosed: { c, r -> }] as MessageListener
        def socket = MessageSocket.open(ConnectionFile.read(binding.getVariable('corpusState') as File), listener)
        def ask = { String id, String method, String params -> socket.sendText("{\"jsonrpc\":\"2.0\",\"id\":\"$id\",\"method\":\"$method\",\"params\":$params}") }
        def answerTo = { id ->
            eventually("an answer to $id") { heard.any { it.has('id') && it.get('id') == id } }
            heard.find { it.has('id') && it.get('id') == id }
        }
        String state = row.get('state').asString
        if (state != 'new') {
            ask('hello', 'initialize', '{"protocolVersion":"1.0","client":{"name":"corpus"}}')
            answerTo(new JsonPrimitive('hello'))
        }
        if (state == 'shutdown') {
            ask('bye', 'shutdown', '{}')
            answerTo(new JsonPrimitive('bye'))
        }
        heard.clear()
        if (row.has('base64')) socket.sendBinary(ByteBuffer.wrap(row.get('base64').asString.decodeBase64()))
        else socket.sendText(row.get('send').asString)
        ask('after', 'rpc.discover', '{}')
        answerTo(new JsonPrimitive('after'))
        JsonObject expect = row.getAsJsonObject('expect')
        def answers = heard.findAll { it.get('id') != new JsonPrimitive('after') }
        if (expect.has('none')) {
            assert answers.isEmpty()
        } else {
            JsonElement id = expect.has('id') ? expect.get('id') : com.google.gson.JsonNull.INSTANCE
            JsonObject answer = answers ? answers[0] : answerTo(id)
            assert answers.size() <= 1
            assert answer.get('id') == id
            if (expect.has('error')) {
                def data = answer.getAsJsonObject('error').getAsJsonObject('data')
                assert data.get('name').asString == expect.get('error').asString && data.get('hint').asString
                if (expect.has('pointer')) assert data.getAsJsonArray('problems')[0].asJsonObject.get('pointer').asString == expect.get('pointer').asString
                // The same, as the plugin understands it.
                assert BridgeFault.fromAnswer(answer.getAsJsonObject('error')).name == expect.get('error').asString
            } else {
                assert expect.get('result')?.asString == 'null' ? answer.get('result').isJsonNull() : answer.get('result').isJsonObject()
            }
        }
        socket.close()
    }
}

server.stop()
end()
