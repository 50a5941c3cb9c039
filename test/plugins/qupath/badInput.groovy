import qupath.lib.images.ImageData
import qupath.lib.images.servers.ImageChannel
import qupath.lib.objects.PathObjects
import qupath.lib.objects.classes.PathClass
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.ROIs
import sampo.glue.Click
import sampo.glue.Extents
import sampo.glue.Features
import sampo.glue.Json
import sampo.glue.StainMap
import sampo.glue.ViewerImage
import sampo.glue.Workspace
import sampo.transport.BridgeClient
import sampo.transport.BridgeFault
import sampo.transport.BridgeState
import support.GatedServer
import support.Picture
import support.TestServer

import java.awt.image.BufferedImage
import java.awt.image.DataBuffer
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

import static support.Checks.end
import static support.Checks.eventually
import static support.Checks.fails
import static support.Checks.test
import static support.Fixtures.bands
import static support.Fixtures.clicksOf
import static support.Fixtures.dataOf
import static support.Fixtures.opened
import static support.Fixtures.reopened
import static support.Fixtures.workspaceOf

// What goes wrong at a viewer: each case is a message that says what to do, and no click or judgement is lost. Further cases:
// no server, a wrong token, a damaged connection file (transport.groovy), 100,000 objects (glue.groovy).

def server = new TestServer()
def picture = Picture.demo()

/** A session of the picture with three clicks of a class of its own. */
def prepared = { Workspace workspace, String name, ImageData<BufferedImage> data = dataOf(picture.image) ->
    def intent = workspace.intentFor(name)
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    return [session, intent, data]
}

def idsIn = { ImageData<BufferedImage> data -> data.hierarchy.detectionObjects*.ID.toSet() }

def judgementsOf = { Workspace workspace, String intentId ->
    workspace.client.ask('preference/list', Json.object(intentId: intentId)).getAsJsonArray('judgements')
}

// --- The image

test('no image open: said, with what to do') {
    def workspace = workspaceOf(server.state)
    def advice = fails(IllegalArgumentException) { workspace.session(null) }
    assert advice.message == 'no image is open: open one first'
    workspace.close()
}

test('no pixel size and none given: searched, and the assumption is said') {
    def workspace = workspaceOf(server.state)
    def (session, intent) = prepared(workspace, 'No size given', dataOf(picture.image, null))
    def warnings = session.open()
    assert warnings.any { it.contains('how large a pixel is') }
    def found = session.search([intent], Extents.image())
    assert found.total > 0 && found.warnings.any { it.toLowerCase().contains('pixel') }
    workspace.close()
}

/** The picture as five channels of 16 bits; the fourth has its dark nuclei as bright ones. */
def fiveChannels = { ->
    def image = bands(picture.width, picture.height, 5, DataBuffer.TYPE_USHORT) { x, y, b ->
        if (b != 3) return 100 + ((x * 7 + y * 13 + b) % 50)
        int rgb = picture.image.getRGB(x, y)
        return 40 * (255 - ((rgb >> 16) & 255))
    }
    def channels = ['CD3', 'CD8', 'PanCK', 'DAPI', 'Ki67'].collect { ImageChannel.getInstance(it, 0xFFFFFF) }
    return dataOf(image, 0.5d, ImageData.ImageType.FLUORESCENCE, channels)
}

test('fluorescence with five channels of 16 bits: searched as shown, and anew when the stain map is changed; clicks stay') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Fluorescent', fiveChannels())
    def names = ViewerImage.channelNames(data.server)
    assert session.image.stains.describe(names) == 'DAPI as haematoxylin'
    def found = session.search([intent], Extents.image())
    assert found.total > 10
    String shown = session.image.uri
    session.setStains(session.image.stains.with(3, 1))
    assert session.image.stains.describe(names) == 'DAPI as haematoxylin, CD8 as DAB' && session.image.uri != shown
    assert session.clicks.size() == 3 && session.latest == null
    assert session.search([workspace.intent(intent.id)], Extents.image()).total > 0
    workspace.close()
}

test('a grey image of 16 bits: its range is shown, not its lowest eight bits') {
    def image = bands(64, 64, 1, DataBuffer.TYPE_USHORT) { x, y, b -> x < 8 ? 900 : 3900 }
    def viewer = ViewerImage.of(dataOf(image, 0.5d, ImageData.ImageType.OTHER), 0, 0)
    def frame = viewer.region(0, 0, 64, 64, 1d)
    assert (frame.bytes[0] & 255) < 20 && (frame.bytes[40 * 3] & 255) > 235
}

test('z-stack and time series: only the plane that is shown is searched, and its objects lie in it') {
    def workspace = workspaceOf(server.state)
    def stack = new GatedServer(picture.image)
    def asked = Collections.synchronizedSet(new HashSet())
    stack.before = { request -> asked << [request.z, request.t] }
    def data = opened(stack)
    def intent = workspace.intentFor('Planes')
    def upper = workspace.session(data, 2, 1), lower = workspace.session(data, 0, 0)
    clicksOf(intent.id).each { upper.addClick(it) }
    int count = upper.search([intent], Extents.image()).total
    assert count > 50 && asked == [[2, 1]].toSet()
    assert data.hierarchy.detectionObjects.every { it.ROI.imagePlane.z == 2 && it.ROI.imagePlane.t == 1 }
    assert lower.clicks.isEmpty() && upper.image.uri.endsWith('#z=2,t=1')
    // A search of another plane leaves these alone, and a judgement is of its plane.
    lower.search([workspace.intent(intent.id)], Extents.image())
    assert data.hierarchy.detectionObjects.count { it.ROI.imagePlane.z == 2 } == count
    assert data.hierarchy.detectionObjects.count { it.ROI.imagePlane.z == 0 } > 0
    def wrong = upper.placer.all().find()
    upper.judge(intent.id, [wrong], false)
    assert lower.verdict(intent.id, wrong.ID) == null && lower.placer.all().every { it.ROI.imagePlane.z == 0 }
    workspace.close()
}

test('the image closed in the viewer during a run: the search fails with the viewer\'s words, clicks stay, the workspace goes on') {
    def workspace = workspaceOf(server.state)
    def slow = new GatedServer(picture.image)
    def (session, intent, data) = prepared(workspace, 'Closed midway', opened(slow))
    session.open()
    slow.before = { request -> throw new IOException('the image was closed') }
    def fault = fails(BridgeFault) { session.search([intent], Extents.image()) }
    assert fault.name == 'ClientFailed' && fault.data.toString().contains('the image was closed') && fault.hint
    assert session.clicks.size() == 3 && data.hierarchy.detectionObjects.isEmpty() && !session.searching
    slow.before = { request -> }
    assert session.search([intent], Extents.image()).total > 50
    workspace.close()
}

test('the project saved and opened again during a search: the search of before ends, clicks and judgements go on') {
    def workspace = workspaceOf(server.state)
    def slow = new GatedServer(picture.image)
    def (session, intent, data) = prepared(workspace, 'Reopened', opened(slow))
    session.search([intent], Extents.image())
    def wrong = data.hierarchy.detectionObjects.find()
    session.judge(intent.id, [wrong], false)
    def reading = new CountDownLatch(1), goOn = new CountDownLatch(1)
    slow.before = { request -> reading.countDown(); goOn.await(60, TimeUnit.SECONDS) }
    def ended = null
    def search = Thread.start { try { session.search([workspace.intent(intent.id)], Extents.image()) } catch (Exception thrown) { ended = thrown } }
    assert reading.await(60, TimeUnit.SECONDS)
    def again = reopened(data)
    def next = workspace.session(again)
    slow.before = { request -> }
    goOn.countDown()
    search.join(60000)
    assert !search.alive && ended instanceof BridgeFault && ended.name in ['RequestCancelled', 'ImageNotOpen']
    assert next.clicks.size() == 3
    def found = next.search([workspace.intent(intent.id)], Extents.image())
    assert found.total > 50 && next.verdict(intent.id, wrong.ID) == 'reject' && !(wrong.ID in idsIn(again))
    assert idsIn(again).size() == again.hierarchy.detectionObjects.size()
    workspace.close()
}

test('an image asked for by several threads at once has one session: the server finds its pixels') {
    def workspace = workspaceOf(server.state)
    def slow = new GatedServer(bands(64, 64, 1, DataBuffer.TYPE_USHORT) { x, y, b -> x * 100 })
    slow.before = { request -> Thread.sleep(200) }
    def data = opened(slow, 0.5d, ImageData.ImageType.FLUORESCENCE)
    def made = Collections.synchronizedList([])
    (1..4).collect { Thread.start { made << workspace.session(data) } }*.join()
    assert made.size() == 4 && made.every { it.is(made[0]) }
    workspace.close()
}

// --- The server

test('an older and a newer server: which of the two to update') {
    def newer = new BridgeClient(server.state, 'test', '1', '9.0')
    def fault = fails(BridgeFault) { newer.connect() }
    assert fault.name == 'VersionMismatch' && fault.hint.startsWith('update the server')
    def older = new BridgeClient(server.state, 'test', '1', '0.1')
    assert fails(BridgeFault) { older.connect() }.hint.startsWith('update this plugin')
}

test('a server of the same protocol that cannot cut pictures yet: the gallery says so, the queue goes on') {
    def workspace = workspaceOf(server.state)
    def (session, intent) = prepared(workspace, 'Older server')
    session.search([intent], Extents.image())
    workspace.client.server.getAsJsonObject('limits').remove('thumbnails')
    def fault = fails(BridgeFault) { session.reviewPage(intent.id, 4, 64) }
    assert fault.name == 'NotAvailable' && fault.hint.contains('update the server')
    assert session.review(intent.id, 4).size() == 4
    workspace.close()
}

test('the server killed during a search: said, what came can be taken back, and the next search has all clicks') {
    def other = new TestServer()
    def workspace = workspaceOf(other.state)
    def slow = new GatedServer(picture.image)
    def (session, intent, data) = prepared(workspace, 'Killed', opened(slow))
    session.open()
    slow.before = { request -> if (other.process.alive) other.kill() }
    def fault = fails(BridgeFault) { session.search([intent], Extents.image()) }
    assert fault.name == 'ConnectionLost' && fault.hint.contains('clicks and judgements are kept')
    slow.before = { request -> }
    while (session.canUndo()) session.undo()
    assert data.hierarchy.detectionObjects.isEmpty() && session.clicks.size() == 3
    other.start()
    eventually('it is back') { workspace.client.state == BridgeState.CONNECTED }
    assert session.search([workspace.intentFor('Killed')], Extents.image()).total > 50
    workspace.close()
    other.stop()
}

test('a judgement taken back while the server is away: said, and it can still be taken back later') {
    def other = new TestServer()
    def workspace = workspaceOf(other.state)
    def (session, intent, data) = prepared(workspace, 'Away')
    session.search([intent], Extents.image())
    def wrong = data.hierarchy.detectionObjects.find()
    session.judge(intent.id, [wrong], false)
    other.kill()
    eventually('the end is noticed') { workspace.client.state == BridgeState.RECONNECTING }
    fails(BridgeFault) { session.undo() }
    assert !(wrong.ID in idsIn(data)) && session.verdict(intent.id, wrong.ID) == 'reject'
    other.start()
    eventually('it is back') { workspace.client.state == BridgeState.CONNECTED }
    session.undo()
    assert wrong.ID in idsIn(data) && session.verdict(intent.id, wrong.ID) == null && judgementsOf(workspace, intent.id).size() == 0
    workspace.close()
    other.stop()
}

test('a judgement before the image was opened on the server is stored once') {
    def workspace = workspaceOf(server.state)
    def (first, intent, data) = prepared(workspace, 'Once')
    first.search([intent], Extents.image())
    // As after QuPath was started again: the objects of the project, and a session that has asked nothing yet.
    def session = workspace.session(reopened(data))
    session.judge(intent.id, data.hierarchy.detectionObjects.take(2), true)
    assert session.unsent == 0 && judgementsOf(workspace, intent.id).size() == 2
    workspace.close()
}

// --- What the user does meanwhile

test('a class renamed: its objects follow, stay ours, and are not found twice') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Old name')
    session.search([intent], Extents.image())
    def before = idsIn(data)
    def mine = data.hierarchy.detectionObjects.find()
    mine.locked = true
    workspace.renameIntent(workspace.intent(intent.id), 'New name')
    assert data.hierarchy.detectionObjects.every { it.pathClass.toString() == 'New name' }
    session.search([workspace.intent(intent.id)], Extents.image())
    assert idsIn(data) == before && data.hierarchy.detectionObjects.size() == before.size()
    assert data.hierarchy.detectionObjects.any { it.is(mine) } && workspace.intent(intent.id).positives == 3
    workspace.close()
}

test('a class taken from objects or given to them in the viewer: they are the user\'s, and are not found a second time') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Reclassed')
    session.search([intent], Extents.image())
    def before = idsIn(data)
    def (none, other) = data.hierarchy.detectionObjects.take(2)
    none.pathClass = null
    other.pathClass = PathClass.fromString('Something else')
    session.search([workspace.intent(intent.id)], Extents.image())
    assert idsIn(data) == before && data.hierarchy.detectionObjects.size() == before.size()
    assert none.pathClass == null && other.pathClass.toString() == 'Something else'
    assert data.hierarchy.detectionObjects.any { it.is(none) } && data.hierarchy.detectionObjects.any { it.is(other) }
    workspace.close()
}

test('an intent deleted while its review is under way: said by name, objects and the other classes stay') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Deleted midway')
    session.search([intent], Extents.image())
    int count = data.hierarchy.detectionObjects.size()
    def page = session.reviewPage(intent.id, 4, 64)
    workspace.deleteIntent(intent.id)
    def fault = fails(BridgeFault) { session.judgeFeatures(intent.id, page.objects, []) }
    assert fault.name == 'IntentNotFound' && session.unsent == 0
    assert data.hierarchy.detectionObjects.size() == count
    workspace.close()
}

test('undo after find all: what it brought goes, what was there before is back') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Undone')
    session.search([intent], Json.object(type: 'rectangle', x: 0, y: 0, width: 200, height: 200))
    def first = data.hierarchy.detectionObjects.collectEntries { [it.ID, it.ROI.allPoints] }
    session.search([workspace.intent(intent.id)], Extents.image())
    assert data.hierarchy.detectionObjects.size() > first.size()
    assert session.undo().contains('taken out')
    assert data.hierarchy.detectionObjects.collectEntries { [it.ID, it.ROI.allPoints] } == first
    session.undo()
    assert data.hierarchy.detectionObjects.isEmpty() && session.undo() == null && session.clicks.size() == 3
    workspace.close()
}

test('undo of a judgement after another image was judged: refused, since the server would take back the other one') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Two images')
    def second = workspace.session(opened(new GatedServer(picture.image, 'another image')))
    session.search([intent], Extents.image())
    second.search([workspace.intent(intent.id)], Extents.image())
    def here = data.hierarchy.detectionObjects.find()
    session.judge(intent.id, [here], true)
    second.judge(intent.id, [second.placer.all().find()], true)
    def advice = fails(IllegalArgumentException) { session.undo() }
    assert advice.message.contains('another image') && session.verdict(intent.id, here.ID) == 'accept'
    second.undo()
    session.undo()
    assert session.verdict(intent.id, here.ID) == null && judgementsOf(workspace, intent.id).size() == 0
    workspace.close()
}

test('a very long class name: used whole, or refused with its reason') {
    def workspace = workspaceOf(server.state)
    String name = 'Kleine runde Zelle mit dunklem Kern '.repeat(5).trim()
    def (session, intent, data) = prepared(workspace, name)
    assert session.search([intent], Extents.image()).counts.keySet() == [name].toSet()
    assert data.hierarchy.detectionObjects.every { it.pathClass.toString() == name }
    def fault = fails(BridgeFault) { workspace.intentFor('x'.repeat(5000)) }
    assert fault.name == 'InvalidParams' && fault.sentence() ==~ /(?s)[A-Z].+\. [A-Z].+\./
    assert workspace.intents.any { it.name == name }
    workspace.close()
}

test('locked objects under a result: they stay as they are, and results lie beside them') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Locked')
    def plane = ImagePlane.defaultPlane
    def region = PathObjects.createAnnotationObject(ROIs.createRectangleROI(0, 0, picture.width, picture.height, plane), PathClass.fromString('Tissue'))
    region.locked = true
    def drawn = PathObjects.createDetectionObject(ROIs.createRectangleROI(10, 10, 200, 200, plane), PathClass.fromString('Mine'))
    drawn.locked = true
    data.hierarchy.addObjects([region, drawn])
    def found = session.search([intent], Extents.image())
    def locked = session.placer.all().find { it.ROI.contains(session.clicks[0].x, session.clicks[0].y) }
    locked.locked = true
    def points = locked.ROI.allPoints
    session.applyThreshold(0.99d)
    session.search([workspace.intent(intent.id)], Extents.image())
    session.applyThreshold(null)
    assert data.hierarchy.detectionObjects.any { it.is(locked) } && locked.ROI.allPoints == points
    assert data.hierarchy.detectionObjects.any { it.is(drawn) } && data.hierarchy.annotationObjects.any { it.is(region) }
    assert drawn.pathClass.toString() == 'Mine' && drawn.ROI.boundsWidth == 200d
    assert idsIn(data).size() == data.hierarchy.detectionObjects.size() && found.total > 50
    workspace.close()
}

// --- The gallery and uncertainty

test('the gallery\'s pictures come from the server: most uncertain first, where they lie in the image') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Gallery')
    session.search([intent], Extents.image())
    def page = session.reviewPage(intent.id, 40, 92)
    assert page.objects.size() == 40 && page.thumbnails.keySet() == page.objects.collect { Json.text(it, 'id') }.toSet()
    def doubts = page.objects.collect { it.getAsJsonObject('properties').getAsJsonObject('measurements').get(Features.UNCERTAINTY).asDouble }
    assert doubts == doubts.sort(false).reverse() && doubts.every { it >= 0 && it <= 1 }
    for (object in page.objects) {
        def thumbnail = page.thumbnails[Json.text(object, 'id')]
        def roi = Features.toDetection(object, ImagePlane.defaultPlane).ROI
        assert thumbnail.downsample == 1d && thumbnail.pixels.width == 48
        assert roi.centroidX > thumbnail.x && roi.centroidX < thumbnail.x + 48 && roi.centroidY > thumbnail.y && roi.centroidY < thumbnail.y + 48
        assert (thumbnail.pixels.getRGB(5, 7) & 0xFFFFFF) == (picture.image.getRGB((int) thumbnail.x + 5, (int) thumbnail.y + 7) & 0xFFFFFF)
    }
    def limit = fails(BridgeFault) { session.reviewPage(intent.id, 101, 92) }
    assert limit.name == 'LimitExceeded' && limit.message.contains('100')
    workspace.close()
}

test('uncertainty is a measurement of every object, and follows the least score without a new search') {
    def workspace = workspaceOf(server.state)
    def (session, intent, data) = prepared(workspace, 'Doubt')
    session.search([intent], Extents.image())
    def of = { it.measurements.get(Features.UNCERTAINTY).doubleValue() }
    def scoreOf = { it.measurements.get(Features.SCORE).doubleValue() }
    assert data.hierarchy.detectionObjects.every { of(it) >= 0 && of(it) <= 1 }
    def (sure, locked) = data.hierarchy.detectionObjects.findAll { scoreOf(it) < 0.98 }.sort(false) { -scoreOf(it) }.take(2)
    locked.locked = true
    double before = of(sure), lockedBefore = of(locked)
    // Nearer to both, so that both stay and are less certain than before.
    session.applyThreshold(Math.min(scoreOf(sure), scoreOf(locked)) - 0.02d)
    assert data.hierarchy.detectionObjects.any { it.is(sure) } && of(sure) > before && of(locked) == lockedBefore
    session.applyThreshold(null)
    assert Math.abs(of(sure) - before) < 1e-6
    workspace.close()
}

server.stop()
end()
