import com.google.gson.JsonObject
import com.google.gson.JsonParser
import qupath.lib.images.ImageData
import qupath.lib.images.servers.ImageChannel
import qupath.lib.objects.PathObject
import qupath.lib.objects.PathObjects
import qupath.lib.objects.classes.PathClass
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.ROIs
import sampo.glue.Click
import sampo.glue.Extents
import sampo.glue.Features
import sampo.glue.ImageSession
import sampo.glue.Json
import sampo.glue.ObjectPlacer
import sampo.glue.PlacedChange
import sampo.glue.Prompts
import sampo.glue.StainMap
import sampo.glue.ViewerImage
import sampo.transport.BridgeFault
import sampo.transport.BridgeState
import support.Picture
import support.TestServer

import java.awt.geom.Rectangle2D
import java.awt.image.BufferedImage
import java.awt.image.DataBuffer
import java.util.concurrent.CopyOnWriteArrayList

import static support.Checks.end
import static support.Checks.eventually
import static support.Checks.fails
import static support.Checks.test
import static support.Fixtures.bands
import static support.Fixtures.clicksOf
import static support.Fixtures.counting
import static support.Fixtures.dataOf
import static support.Fixtures.square
import static support.Fixtures.workspaceOf

plane = ImagePlane.defaultPlane

// --- Features and objects

test('a feature becomes a detection: id, class, colour, measurements, shape') {
    def id = UUID.randomUUID()
    def object = Features.toDetection(square(id, 10, 20, 5, 'Immune cells'), plane)
    assert object.ID == id && object.isDetection() && object.pathClass.toString() == 'Immune cells'
    assert Features.colorOf(object.pathClass) == [200, 30, 40]
    assert Math.abs(object.measurements.get('SAMPO score').doubleValue() - 0.9) < 1e-6
    assert [object.ROI.boundsX, object.ROI.boundsY, object.ROI.boundsWidth, object.ROI.boundsHeight] == [10d, 20d, 5d, 5d]
    assert object.ROI.numPoints == 4
}

test('a class that QuPath has keeps its own colour') {
    PathClass.fromString('Stroma of mine').setColor(qupath.lib.common.ColorTools.packRGB(1, 2, 3))
    assert Features.colorOf(Features.toDetection(square(UUID.randomUUID(), 0, 0, 5, 'Stroma of mine'), plane).pathClass) == [1, 2, 3]
}

test('a derived class and a very long class name') {
    assert Features.toDetection(square(UUID.randomUUID(), 0, 0, 5, 'Tumor: Positive'), plane).pathClass.toString() == 'Tumor: Positive'
    String longName = 'Kleine runde Zelle mit dunklem Kern '.repeat(40).trim()
    assert Features.toDetection(square(UUID.randomUUID(), 0, 0, 5, longName), plane).pathClass.toString() == longName
}

test('objects lie in the plane they were found in') {
    def object = Features.toDetection(square(UUID.randomUUID(), 0, 0, 5), ImagePlane.getPlane(3, 1))
    assert object.ROI.imagePlane.z == 3 && object.ROI.imagePlane.t == 1
}

test('holes and several parts are kept') {
    def feature = square(UUID.randomUUID(), 0, 0, 20)
    feature.getAsJsonObject('geometry').add('coordinates', JsonParser.parseString('[[[0,0],[20,0],[20,20],[0,20],[0,0]],[[5,5],[5,9],[9,9],[9,5],[5,5]]]'))
    def ring = Features.toDetection(feature, plane)
    assert ring.ROI.contains(2, 2) && !ring.ROI.contains(7, 7)
    feature.add('geometry', JsonParser.parseString('{"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4],[0,4],[0,0]]],[[[10,10],[14,10],[14,14],[10,14],[10,10]]]]}'))
    def two = Features.toDetection(feature, ImagePlane.getPlane(2, 0))
    assert two.ROI.contains(2, 2) && two.ROI.contains(12, 12) && !two.ROI.contains(7, 7)
    assert two.ROI.imagePlane.z == 2
}

test('one bad feature never loses the others') {
    def good = square(UUID.randomUUID(), 0, 0, 5)
    def open = square(UUID.randomUUID(), 0, 0, 5)
    open.getAsJsonObject('geometry').add('coordinates', JsonParser.parseString('[[[0,0],[1,1]]]'))
    def none = square(UUID.randomUUID(), 0, 0, 5)
    none.remove('geometry')
    def said = []
    def objects = Features.toDetections([open, good, none], plane) { feature, why -> said << why }
    assert objects*.ID*.toString() == [Json.text(good, 'id')] && said.size() == 2
}

test('a geometry goes out as it came in') {
    def feature = square(UUID.randomUUID(), 10.25, 20.5, 5)
    def back = Features.toGeometry(Features.toDetection(feature, plane).ROI)
    assert back.keySet() == ['type', 'coordinates'] as Set
    assert back.get('type').asString == 'Polygon'
    def corners = { JsonObject g -> g.getAsJsonArray('coordinates')[0].asJsonArray.collect { [it.asJsonArray[0].asDouble, it.asJsonArray[1].asDouble] }.toSet() }
    assert corners(back) == corners(feature.getAsJsonObject('geometry'))
}

// --- Placing

test('one hierarchy event for many objects, ids kept') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def events = counting(hierarchy)
    def ids = (1..500).collect { UUID.randomUUID() }
    placer.apply(ids.withIndex().collect { id, i -> square(id, 10 * (i % 50), 10 * i.intdiv(50), 6) }, [])
    assert events() == 1
    assert hierarchy.detectionObjects*.ID.toSet() == ids.toSet()
}

test('a changed feature takes its object\'s place under the same parent, in one event') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def id = UUID.randomUUID()
    placer.apply([square(id, 10, 10, 6)], [])
    def annotation = PathObjects.createAnnotationObject(ROIs.createRectangleROI(0, 0, 50, 50, plane), null)
    hierarchy.addObjects([annotation])
    def object = hierarchy.detectionObjects.find()
    annotation.addChildObjects([object])
    def events = counting(hierarchy)
    int before = events()
    placer.apply([square(id, 12, 12, 8)], [])
    assert events() == before + 1
    def now = hierarchy.detectionObjects
    assert now.size() == 1 && now[0].ID == id && now[0].ROI.boundsX == 12d && now[0].parent.is(annotation)
}

test('locked objects and those the user has reshaped or given another class stay') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def ids = (1..4).collect { UUID.randomUUID() }
    placer.apply(ids.withIndex().collect { id, i -> square(id, 20 * i, 0, 6) }, [])
    def of = { UUID id -> hierarchy.detectionObjects.find { it.ID == id } }
    of(ids[0]).locked = true
    of(ids[1]).pathClass = PathClass.fromString('Mine')
    def reshaped = PathObjects.createDetectionObject(ROIs.createRectangleROI(40, 0, 9, 9, plane), of(ids[2]).pathClass)
    reshaped.ID = ids[2]
    hierarchy.removeObjects([of(ids[2])], true)
    hierarchy.addObjects([reshaped])
    def change = placer.apply(ids.collect { square(it, 100, 100, 6, 'Tumor', 0.7d) }, [])
    assert change.kept == 3 && change.added*.ID == [ids[3]]
    assert of(ids[0]).ROI.boundsX == 0d && of(ids[1]).pathClass.toString() == 'Mine' && of(ids[2]).ROI.boundsWidth == 9d
    placer.apply([], ids)
    assert hierarchy.detectionObjects*.ID.toSet() == ids.take(3).toSet()
}

test('undo after find all, and redo; what the user locked meanwhile stays') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def ids = (1..3).collect { UUID.randomUUID() }
    placer.apply([square(ids[0], 0, 0, 6)], [])
    placer.apply([square(ids[0], 1, 1, 6), square(ids[1], 20, 0, 6), square(ids[2], 40, 0, 6)], [])
    hierarchy.detectionObjects.find { it.ID == ids[2] }.locked = true
    placer.undo()
    assert hierarchy.detectionObjects*.ID.toSet() == [ids[0], ids[2]].toSet()
    assert hierarchy.detectionObjects.find { it.ID == ids[0] }.ROI.boundsX == 0d
    placer.redo()
    assert hierarchy.detectionObjects*.ID.toSet() == ids.toSet()
    assert hierarchy.detectionObjects.find { it.ID == ids[0] }.ROI.boundsX == 1d
    placer.undo()
    placer.undo()
    assert hierarchy.detectionObjects*.ID == [ids[2]]
    assert !placer.canUndo() && placer.canRedo()
}

test('undo finds objects by id: QuPath\'s own undo makes new instances') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def id = UUID.randomUUID()
    placer.apply([square(id, 5, 5, 6)], [])
    def copy = Features.toDetection(square(id, 5, 5, 6), plane)
    hierarchy.removeObjects(new ArrayList(hierarchy.detectionObjects), true)
    hierarchy.addObjects([copy])
    placer.undo()
    assert hierarchy.detectionObjects.isEmpty()
}

test('steps of one search become one step') {
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def a = UUID.randomUUID(), b = UUID.randomUUID(), c = UUID.randomUUID()
    placer.apply([square(a, 0, 0, 5)], [])
    int depth = placer.depth
    placer.apply([square(b, 20, 0, 5)], [])
    placer.apply([square(c, 40, 0, 5)], [b])
    placer.apply([square(a, 1, 0, 5)], [])
    def change = placer.mergeSince(depth)
    assert placer.depth == depth + 1
    assert change.added*.ID.toSet() == [a, c].toSet() && change.removed*.ID == [a]
    placer.undo()
    assert hierarchy.detectionObjects*.ID == [a] && hierarchy.detectionObjects.find().ROI.boundsX == 0d
}

test('a z-stack: what lies in another plane is left alone') {
    def hierarchy = new PathObjectHierarchy()
    def first = new ObjectPlacer(hierarchy, ImagePlane.getPlane(0, 0)), third = new ObjectPlacer(hierarchy, ImagePlane.getPlane(2, 0))
    first.apply([square(UUID.randomUUID(), 0, 0, 6)], [])
    third.apply([square(UUID.randomUUID(), 0, 0, 6), square(UUID.randomUUID(), 20, 0, 6)], [])
    assert first.all().size() == 1 && third.all().size() == 2
    assert third.all().every { it.ROI.imagePlane.z == 2 }
}

test('very many objects are placed, found and taken back') {
    // 100,000 in a real QuPath; the stand-ins are slow.
    int count = Class.forName('qupath.lib.objects.PathObject').interfaces.contains(GroovyObject) ? 10000 : 100000
    def hierarchy = new PathObjectHierarchy()
    def placer = new ObjectPlacer(hierarchy, plane)
    def features = (0..<count).collect { square(new UUID(7L, it), 10 * (it % 400), 10 * it.intdiv(400), 6) }
    long start = System.nanoTime()
    placer.apply(features, [])
    println "  $count objects placed in ${(System.nanoTime() - start).intdiv(1000000)} ms"
    assert hierarchy.detectionObjects.size() == count
    placer.undo()
    assert hierarchy.detectionObjects.isEmpty()
}

// --- Pixels

test('pixels of any region at any downsample have the size that is asked for, and the right colours') {
    def image = new BufferedImage(101, 67, BufferedImage.TYPE_INT_RGB)
    for (int y = 0; y < 67; y++) for (int x = 0; x < 101; x++) image.setRGB(x, y, (x << 16) | (y << 8) | 77)
    def viewer = ViewerImage.of(dataOf(image), 0, 0)
    for (List part : [[0, 0, 101, 67, 1d], [13, 7, 50, 40, 1d], [0, 0, 101, 67, 2d], [3, 5, 90, 60, 3.7d], [100, 66, 1, 1, 1d], [0, 0, 101, 67, 500d], [10, 10, 20, 20, 0.5d]]) {
        def (x, y, w, h, d) = part
        def frame = viewer.region(x, y, w, h, d)
        assert frame.width == Math.max(1, Math.round(w / d) as int) && frame.height == Math.max(1, Math.round(h / d) as int)
        assert frame.bytes.length == frame.width * frame.height * 3 && frame.encoding == 'raw'
        assert (frame.bytes[2] & 255) == 77 : "at $part"
    }
    def exact = viewer.region(13, 7, 50, 40, 1d)
    assert [exact.bytes[0] & 255, exact.bytes[1] & 255] == [13, 7]
    int last = exact.bytes.length - 3
    assert [exact.bytes[last] & 255, exact.bytes[last + 1] & 255] == [62, 46]
}

test('a pixel size, and none') {
    def image = new BufferedImage(10, 10, BufferedImage.TYPE_INT_RGB)
    assert ViewerImage.of(dataOf(image, 0.25d), 0, 0).pixelSizeMicrons == 0.25d
    def without = ViewerImage.of(dataOf(image, null), 0, 0)
    assert without.pixelSizeMicrons == null
    assert !without.openParams().has('pixelSizeMicrons') && without.openParams(0.4d).get('pixelSizeMicrons').asDouble == 0.4d
}

test('a name of its own for each plane and each stain map, the same in every session') {
    def data = dataOf(new BufferedImage(10, 10, BufferedImage.TYPE_INT_RGB))
    assert ViewerImage.of(data, 0, 0).uri == ViewerImage.of(data, 0, 0).uri
    assert ViewerImage.of(data, 0, 0).uri != ViewerImage.of(data, 1, 0).uri
    assert ViewerImage.of(data, 3, 2).uri.endsWith('#z=3,t=2')
}

test('fluorescence with five channels of 16 bits: the nuclear one is found by its name and shown as haematoxylin, the map can be changed') {
    def image = bands(64, 64, 5, DataBuffer.TYPE_USHORT) { x, y, b -> b == 3 ? (x - 32) * (x - 32) + (y - 32) * (y - 32) < 100 ? 9000 : 300 : b == 1 && x > 40 ? 5000 : 100 }
    def channels = ['CD3', 'CD8', 'PanCK', 'DAPI', 'Ki67'].collect { ImageChannel.getInstance(it, 0xFFFFFF) }
    def viewer = ViewerImage.of(dataOf(image, 0.5d, ImageData.ImageType.FLUORESCENCE, channels), 0, 0)
    assert viewer.stains.nuclei == 3 && viewer.stains.marker == StainMap.NONE && !viewer.stains.brightfield
    assert viewer.stains.describe(ViewerImage.channelNames(viewer.server)) == 'DAPI as haematoxylin'
    def frame = viewer.region(0, 0, 64, 64, 1d)
    def at = { f, x, y -> (0..2).collect { f.bytes[(y * 64 + x) * 3 + it] & 255 } }
    def nucleus = at(frame, 32, 32), ground = at(frame, 2, 2)
    assert ground.every { it > 240 } && nucleus[0] < 120 && nucleus[2] > nucleus[0]
    def other = viewer.with(viewer.stains.with(3, 1))
    assert other.uri != viewer.uri && other.stains.describe(ViewerImage.channelNames(viewer.server)) == 'DAPI as haematoxylin, CD8 as DAB'
    def marked = at(other.region(0, 0, 64, 64, 1d), 60, 4)
    assert marked[2] < marked[0] // brown
    assert at(other.region(0, 0, 64, 64, 2d), 0, 0).every { it > 0 }
}

test('a nucleus looks the same in every tile: limits belong to the image') {
    def image = bands(128, 64, 1, DataBuffer.TYPE_BYTE) { x, y, b -> x < 64 ? (x % 16 < 8 ? 200 : 10) : (x % 16 < 8 ? 60 : 10) }
    def viewer = ViewerImage.of(dataOf(image, 0.5d, ImageData.ImageType.FLUORESCENCE), 0, 0)
    assert viewer.region(0, 0, 64, 64, 1d).bytes[0] == viewer.region(0, 0, 128, 64, 1d).bytes[0]
    assert (viewer.region(64, 0, 64, 64, 1d).bytes[0] & 255) > (viewer.region(0, 0, 64, 64, 1d).bytes[0] & 255)
}

test('a grey brightfield picture is shown as it is') {
    def image = bands(64, 64, 1, DataBuffer.TYPE_BYTE) { x, y, b -> x < 8 ? 40 : 220 }
    def viewer = ViewerImage.of(dataOf(image, 0.5d, ImageData.ImageType.OTHER), 0, 0)
    assert viewer.stains.brightfield
    def frame = viewer.region(0, 0, 64, 64, 1d)
    assert (frame.bytes[0] & 255) < 20 && (frame.bytes[40 * 3] & 255) > 235
}

// --- Prompts and extents

test('points become clicks, areas become examples') {
    def points = PathObjects.createAnnotationObject(ROIs.createPointsROI([3d, 7d] as double[], [4d, 8d] as double[], plane), null)
    def area = PathObjects.createDetectionObject(ROIs.createRectangleROI(10, 10, 5, 5, plane), null)
    def params = new Prompts('i').addObjects([points, area]).add([new Click('i', 1, 2, false), new Click('other', 9, 9, true)]).params()
    assert params.getAsJsonArray('clicks').size() == 3 && params.getAsJsonArray('exampleObjects').size() == 1
    assert params.getAsJsonArray('clicks').collect { it.asJsonObject.get('positive').asBoolean } == [true, true, false]
    assert new Prompts('i').isEmpty()
}

test('extents are clipped to the image; a view beside the image is said') {
    def view = Extents.view(new Rectangle2D.Double(-20.5, 10.2, 60, 500), 100, 80)
    assert [view.get('x').asInt, view.get('y').asInt, view.get('width').asInt, view.get('height').asInt] == [0, 10, 40, 70]
    def advice = fails(IllegalArgumentException) { Extents.view(new Rectangle2D.Double(200, 200, 50, 50), 100, 80) }
    assert advice.message.contains('move it onto the tissue')
    def region = Extents.region(ROIs.createRectangleROI(10, 10, 20, 20, plane), 100, 80)
    assert region.get('type').asString == 'polygon' && Extents.contains(region, 15, 15) && !Extents.contains(region, 35, 15)
    assert Extents.contains(Extents.image(), 1, 1) && !Extents.contains(view, 50, 20)
}

// --- Sessions with the real server

def server = new TestServer()
def picture = Picture.demo()

test('click, find all, reject, refine, revert, undo: the whole flow on one image') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Flow')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    def told = new CopyOnWriteArrayList()
    def found = session.search([intent], Extents.image(), [], true) { text, percent, eta -> told << percent }
    def objects = data.hierarchy.detectionObjects
    assert found.total > 50 && objects.size() == found.total && objects.every { it.pathClass.toString() == 'Flow' }
    assert told.size() > 1 && told.last() == 100d
    assert found.candidates.size() == 3
    assert workspace.intent(intent.id).positives == 3
    // again: the same objects, nothing twice
    session.search([workspace.intent(intent.id)], Extents.image())
    assert data.hierarchy.detectionObjects*.ID.toSet() == objects*.ID.toSet()
    // the threshold, without inference, there and back
    def fewer = session.applyThreshold(0.8d)
    assert fewer['Flow'] < found.total && data.hierarchy.detectionObjects.size() == fewer['Flow']
    session.applyThreshold(null)
    assert data.hierarchy.detectionObjects.size() == found.total
    // judgements
    def queue = session.review(intent.id, 10)
    assert queue.size() == 10
    session.judgeFeatures(intent.id, queue.drop(5), queue.take(5))
    def rejected = queue.take(5).collect { UUID.fromString(Json.text(it, 'id')) }
    assert session.judged(intent.id) == 10 && session.placer.find(rejected as Set).isEmpty()
    assert session.placer.find(queue.drop(5).collect { UUID.fromString(Json.text(it, 'id')) } as Set).size() == 5
    def mine = data.hierarchy.detectionObjects.find { session.verdict(intent.id, it.ID) == null }
    mine.locked = true
    // rejected ones do not come back with another search, which answers by the judgements too
    session.search([workspace.intent(intent.id)], Extents.image())
    def before = data.hierarchy.detectionObjects.collectEntries { [it.ID, it.ROI.allPoints] }
    assert session.placer.find(rejected as Set).isEmpty()
    // refine
    def metrics = new CopyOnWriteArrayList()
    def refined = session.refine(intent.id) { text, percent, eta, figures -> metrics << figures }
    assert refined.verdict && refined.checkpointId != null && metrics.any { it != null }
    assert mine.parent != null && data.hierarchy.detectionObjects.any { it.is(mine) }
    if (refined.activated) {
        session.revert(refined)
        assert workspace.intent(intent.id).checkpointId == null
        def after = data.hierarchy.detectionObjects.collectEntries { [it.ID, it.ROI.allPoints] }
        assert after.keySet() == before.keySet()
    }
    // the judgement is undone on the server too
    session.undo()
    workspace.close()
}

test('only the selected objects are classified: nothing is added or moved') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Classify')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    def ours = new ArrayList(data.hierarchy.detectionObjects)
    data.hierarchy.removeObjects(ours, true)
    def plain = ours.collect { PathObjects.createDetectionObject(it.ROI, null) }
    def nothing = PathObjects.createDetectionObject(ROIs.createRectangleROI(1, 1, 2, 2, plane), null)
    data.hierarchy.addObjects(plain + nothing)
    int count = session.classify(plain + nothing, [workspace.intent(intent.id)])
    assert count >= ours.size() * 0.9 && plain.count { it.pathClass?.toString() == 'Classify' } == count
    assert nothing.pathClass == null && data.hierarchy.detectionObjects.size() == plain.size() + 1
    def advice = fails(IllegalArgumentException) { session.classify([], [intent]) }
    assert advice.message.contains('select cells')
    workspace.close()
}

test('clicks and judgements come back with the image, in another session') {
    def data = dataOf(picture.image)
    def first = workspaceOf(server.state)
    def intent = first.intentFor('Kept')
    def session = first.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    def wrong = data.hierarchy.detectionObjects.find()
    session.judge(intent.id, [wrong], false)
    first.close()
    // As after saving and opening again: the same hierarchy and properties, nothing else.
    def second = workspaceOf(server.state)
    def again = second.session(data)
    assert again.clicks.size() == 3
    again.open()
    assert again.verdict(intent.id, wrong.ID) == 'reject'
    again.search([second.intent(intent.id)], Extents.image())
    assert again.placer.find([wrong.ID] as Set).isEmpty()
    assert data.hierarchy.detectionObjects*.ID.toSet().size() == data.hierarchy.detectionObjects.size()
    second.close()
}

test('an image opened again within a session brings its clicks once') {
    def workspace = workspaceOf(server.state)
    def intent = workspace.intentFor('Again')
    def data = dataOf(picture.image)
    clicksOf(intent.id).each { workspace.session(data).addClick(it) }
    // As QuPath reads it from a project: other data of the same image, with what was saved.
    def reopened = new ImageData<BufferedImage>(data.server, ImageData.ImageType.BRIGHTFIELD_H_E)
    reopened.setProperty('sampo.clicks', data.getProperty('sampo.clicks'))
    assert workspace.session(reopened).clicks.size() == 3
    def unsaved = new ImageData<BufferedImage>(data.server, ImageData.ImageType.BRIGHTFIELD_H_E)
    assert workspace.session(unsaved).clicks.size() == 3
    workspace.close()
}

test('an intent is used on the next image with no click') {
    def workspace = workspaceOf(server.state)
    def other = dataOf(javax.imageio.ImageIO.read(new File(TestServer.ROOT, 'test/fixtures/images/brca-val.png')))
    def session = workspace.session(other)
    def found = session.search([workspace.intent(workspace.intentNamed('Kept').id)], Extents.image())
    assert session.clicks.isEmpty() && found.total > 0
    workspace.close()
}

test('no click at all: said by the server in words') {
    def workspace = workspaceOf(server.state)
    def session = workspace.session(dataOf(picture.image))
    def fault = fails(BridgeFault) { session.search([workspace.intentFor('Never clicked')], Extents.image()) }
    assert fault.name == 'NoPositiveClick' && fault.hint.contains('click at least one')
    workspace.close()
}

test('an image without pixel size is searched with the size the user gave') {
    def workspace = workspaceOf(server.state)
    def session = workspace.session(dataOf(picture.image, null))
    def intent = workspace.intentFor('No size')
    clicksOf(intent.id).each { session.addClick(it) }
    session.pixelSize = 0.5d
    def found = session.search([intent], Extents.image())
    assert found.total > 50
    workspace.close()
}

test('a click outside the image is refused by name, the others are kept') {
    def workspace = workspaceOf(server.state)
    def session = workspace.session(dataOf(picture.image))
    def intent = workspace.intentFor('Outside')
    clicksOf(intent.id).each { session.addClick(it) }
    session.addClick(new Click(intent.id, 99999, 5, true))
    assert fails(BridgeFault) { session.search([intent], Extents.image()) }.name == 'ClickOutside'
    session.dropLastClick(intent.id)
    assert session.clicks.size() == 3 && session.search([intent], Extents.image()).total > 50
    workspace.close()
}

test('the image closed during a run: the search ends with a sentence, the workspace goes on') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Closed')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    def fault = null
    def searching = Thread.start {
        try {
            session.search([intent], Extents.image(), [], true) { text, percent, eta -> session.close() }
        } catch (Exception ended) {
            fault = ended
        }
    }
    searching.join()
    assert fault == null || fault instanceof BridgeFault
    assert workspace.refreshIntents().any { it.name == 'Closed' }
    workspace.close()
}

test('a search that is cancelled keeps what came, and undo takes it out') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Cancelled')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.pixelSize = null
    try {
        session.search([intent], Extents.image(), [], true) { text, percent, eta -> session.cancel() }
    } catch (BridgeFault cancelled) {
        assert cancelled.name == 'RequestCancelled'
    }
    if (session.canUndo()) session.undo()
    assert data.hierarchy.detectionObjects.isEmpty()
    workspace.close()
}

test('an intent deleted by another client: said, and the objects stay') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Deleted')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    int count = data.hierarchy.detectionObjects.size()
    def other = workspaceOf(server.state)
    other.deleteIntent(intent.id)
    other.close()
    assert fails(BridgeFault) { session.search([intent], Extents.image()) }.name == 'IntentNotFound'
    assert data.hierarchy.detectionObjects.size() == count
    workspace.close()
}

test('server killed between judgements: they wait, and are sent when it is back; a search goes on') {
    def other = new TestServer()
    def workspace = workspaceOf(other.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Waiting')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    other.kill()
    eventually('the end is noticed') { workspace.client.state == BridgeState.RECONNECTING }
    def judged = data.hierarchy.detectionObjects.take(4)
    session.judge(intent.id, judged.take(2), true)
    session.judge(intent.id, judged.drop(2), false)
    assert session.unsent == 2
    other.start()
    eventually('they are sent') { workspace.client.state == BridgeState.CONNECTED && session.unsent == 0 }
    assert workspace.client.ask('preference/list', Json.object(intentId: intent.id)).getAsJsonArray('judgements').size() == 4
    assert session.search([workspace.intent(intent.id)], Extents.image()).total > 50
    workspace.close()
    other.stop()
}

test('server killed during Refine: said, the judgements are there when it is back') {
    def other = new TestServer()
    def workspace = workspaceOf(other.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Killed')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    def queue = session.review(intent.id, 8)
    session.judgeFeatures(intent.id, queue.take(4), queue.drop(4))
    def fault = fails(BridgeFault) { session.refine(intent.id) { text, percent, eta, figures -> other.kill() } }
    assert fault.name == 'ConnectionLost' && fault.hint.contains('kept')
    other.start()
    eventually('it is back') { workspace.client.state == BridgeState.CONNECTED }
    assert workspace.intent(intent.id).judgements == 8 && workspace.intent(intent.id).checkpointId == null
    workspace.close()
    other.stop()
}

test('a refinement that is stopped changes nothing') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Stopped')
    def session = workspace.session(data)
    clicksOf(intent.id).each { session.addClick(it) }
    session.search([intent], Extents.image())
    def queue = session.review(intent.id, 8)
    session.judgeFeatures(intent.id, queue.take(4), queue.drop(4))
    def before = data.hierarchy.detectionObjects*.ID.toSet()
    def fault = fails(BridgeFault) { session.refine(intent.id) { text, percent, eta, figures -> session.stopRefining() } }
    assert fault.name == 'RequestCancelled' && !session.refining
    assert data.hierarchy.detectionObjects*.ID.toSet() == before && workspace.intent(intent.id).checkpointId == null
    workspace.close()
}

test('the chosen outline of a click takes the object\'s place') {
    def workspace = workspaceOf(server.state)
    def data = dataOf(picture.image)
    def intent = workspace.intentFor('Better')
    def session = workspace.session(data)
    clicksOf(intent.id).take(1).each { session.addClick(it) }
    def found = session.search([intent], Extents.image())
    def candidates = found.candidates[0]
    def masks = Json.objects(candidates, 'masks')
    int chosen = masks.findLastIndexOf { it.has('feature') }
    def click = candidates.getAsJsonObject('click')
    def under = session.placer.all().find { it.ROI.contains(click.get('x').asDouble, click.get('y').asDouble) }
    session.better(intent.id, candidates, chosen)
    def now = session.placer.find([under.ID] as Set).values().find()
    def wanted = Features.toDetection(masks[chosen].getAsJsonObject('feature'), plane)
    assert now.ROI.allPoints == wanted.ROI.allPoints && now.measurements.containsKey(Features.SCORE)
    session.undo()
    assert session.placer.find([under.ID] as Set).values().find().ROI.allPoints == under.ROI.allPoints
    workspace.close()
}

// --- The scripts for QuPath's editor and its command line

/** Runs a script of the plugin as QuPath does. @return what it printed */
def script = { String name, ImageData<BufferedImage> data, List<String> args ->
    def printed = new StringWriter()
    def binding = new Binding([args: args as String[], getCurrentImageData: { -> data }, out: new PrintWriter(printed)])
    new GroovyShell(this.class.classLoader, binding).evaluate(new File(TestServer.ROOT, "plugins/qupath-groovy/scripts/$name"))
    return printed.toString()
}

test('FindAllLike finds all nuclei like the points of a class, and says what is missing; RefineFromEdits learns from what was corrected') {
    File state = new File(System.getenv('SAMPO_STATE'))
    state.mkdirs()
    def own = new TestServer(state)
    def data = dataOf(picture.image)
    def missing = fails(IllegalStateException) { script('FindAllLike.groovy', data, ['Unknown type']) }
    assert missing.message.contains('no example')
    assert fails(IllegalStateException) { script('FindAllLike.groovy', null, ['Unknown type']) }.message.startsWith('No image is open')
    def places = clicksOf('')
    def points = ROIs.createPointsROI(places*.x as double[], places*.y as double[], plane)
    data.hierarchy.addObjects([PathObjects.createAnnotationObject(points, PathClass.fromString('Scripted'))])
    String said = script('FindAllLike.groovy', data, ['Scripted'])
    def found = data.hierarchy.detectionObjects.findAll { it.pathClass.toString() == 'Scripted' }
    assert found.size() > 50 && said.contains("${found.size()} Scripted found")
    def sorted = found.sort(false) { it.measurements.get(Features.SCORE).doubleValue() }
    sorted.take(5).each { it.pathClass = PathClass.fromString('Other') }
    sorted.reverse().take(5).each { it.locked = true }
    said = script('RefineFromEdits.groovy', data, ['Scripted'])
    assert said.contains('5 right, 5 wrong, 0 drawn')
    assert data.hierarchy.detectionObjects.count { it.pathClass.toString() == 'Other' } == 5
    assert data.hierarchy.detectionObjects.count { it.isLocked() } == 5
    // Run again, nothing is judged twice.
    assert script('RefineFromEdits.groovy', data, ['Scripted']).contains('0 right, 0 wrong, 0 drawn')
    own.stop()
}

server.stop()
end()
