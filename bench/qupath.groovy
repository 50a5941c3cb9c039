/*
 * Figures of the plugin inside QuPath: what it adds to the server's own time, pixels sent, 100,000 objects, and how long the
 * thread of the windows is held up. Open an image with nuclei that has a pixel size, then run this in the script editor (or
 * without a window: QuPath script bench/qupath.groovy -i IMAGE -a X,Y; the window's figures are left out then).
 *
 * -a X,Y: a nucleus to click, image px; the middle of the image when absent. Prints one JSON object.
 */
import com.google.gson.GsonBuilder
import qupath.lib.regions.ImagePlane
import sampo.glue.Click
import sampo.glue.Json
import sampo.glue.ObjectPlacer
import sampo.glue.Workspace

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong

SEARCHES = 15
OBJECTS = 100000
/** Longest side of what is searched, px. */
SIDE = 512

def data = getCurrentImageData()
if (data == null) throw new IllegalStateException('No image is open')
def given = (binding.hasVariable('args') && args) ? args[0].split(',')*.toDouble() : [data.server.width / 2d, data.server.height / 2d]
boolean window = getQuPath() != null

/** The longest wait of a task for the thread of the windows while `body` runs and for some seconds after, ms, and what of ours was on it then. */
def watched = { double secondsAfter, Closure body ->
    if (!window) { body.call(); return null }
    def platform = Class.forName('javafx.application.Platform')
    def threads = java.lang.management.ManagementFactory.threadMXBean
    def fx = Thread.allStackTraces.keySet().find { it.name == 'JavaFX Application Thread' }
    def stop = false
    def gaps = [].asSynchronized()
    def watcher = Thread.startDaemon {
        while (!stop) {
            long asked = System.nanoTime(), cpu = threads.getThreadCpuTime(fx.id)
            def ran = new CountDownLatch(1)
            platform.runLater { ran.countDown() }
            def ours = new TreeSet()
            while (!ran.await(20, TimeUnit.MILLISECONDS))
                fx.stackTrace.find { it.className.startsWith('sampo.') }?.with { ours << "${it.className}.${it.methodName}".toString() }
            gaps << [ms: (System.nanoTime() - asked) / 1e6d, cpuMs: (threads.getThreadCpuTime(fx.id) - cpu) / 1e6d, ours: ours]
            Thread.sleep(5)
        }
    }
    body.call()
    Thread.sleep((long) (1000 * secondsAfter))
    stop = true
    watcher.join()
    def longest = gaps.max { it.ms }
    def ofOurs = gaps.findAll { it.ours }
    return [longestMs: round(longest.ms), itsCpuMs: round(longest.cpuMs), over100ms: gaps.count { it.ms > 100 },
            longestWithOursMs: ofOurs ? round(ofOurs*.ms.max()) : 0, ours: ofOurs.collectMany { it.ours }.toSet().sort()]
}

double round(double value) { return Math.round(value * 10) / 10d }
double median(List values) { return values.sort(false)[values.size().intdiv(2)] }

def figures = [benchmark: 'qupath', qupath: qupath.lib.common.GeneralTools.version.toString(), java: System.getProperty('java.version'),
               processors: Runtime.runtime.availableProcessors(), window: window]
def load = { round(java.lang.management.ManagementFactory.operatingSystemMXBean.systemLoadAverage) }
figures.loadAverage = load()

def workspace = new Workspace()
try {
    workspace.connect(true)
    def pixels = new AtomicLong(), nanoseconds = new AtomicLong()
    def intent = workspace.createIntent("bench ${System.currentTimeMillis()}" as String, null)
    def session = workspace.session(data)
    workspace.client.onRequest('image/readRegion') { request ->
        long start = System.nanoTime()
        def answer = session.image.answer(request)
        nanoseconds.addAndGet(System.nanoTime() - start)
        double downsample = request.params.get('downsample').asDouble
        pixels.addAndGet((long) (request.params.get('width').asLong / downsample) * (long) (request.params.get('height').asLong / downsample))
        return answer
    }
    // As the panel tells QuPath of changes.
    def panel = window ? getQuPath().analysisTabPane.tabs.find { it.text == 'SAMPO' }?.userData : null
    def telling = { hierarchy, tell -> panel ? panel.controller.images.news.tell(hierarchy, tell) : tell.call() }
    session.placer.telling = telling
    figures.garbageCollectionMs = round(median((1..3).collect { long start = System.nanoTime(); System.gc(); (System.nanoTime() - start) / 1e6d }))
    session.addClick(new Click(intent.id, given[0], given[1], true))
    figures.fxIdle = watched(5) { }

    // What a viewer shows around the click.
    int side = Math.min(SIDE, Math.min(data.server.width, data.server.height))
    def corner = { double at, int size -> Math.min(Math.max(0, (int) (at - side / 2)), size - side) }
    def extent = Json.object(type: 'rectangle', x: corner(given[0], data.server.width), y: corner(given[1], data.server.height), width: side, height: side)

    // A click to the last object in the image, against what the server says it took.
    def runs = []
    figures.fxSearching = watched(2) {
        (SEARCHES + 3).times {
            def found = session.search([intent], extent, [], false)
            runs << [server: 1000 * found.seconds, whole: 1000 * found.wholeSeconds, objects: found.total]
            session.undo()
        }
    }
    runs = runs.drop(3)
    double server = median(runs*.server), whole = median(runs*.whole), added = median(runs.collect { it.whole - it.server })
    figures.search = [runs: runs.size(), objects: runs[0].objects, imagePx: [data.server.width, data.server.height], searchedPx: [side, side],
                      serverMs: round(server), clickToObjectsMs: round(whole), addedMs: round(added), addedPercent: round(100 * added / server)]
    figures.pixels = [sent: pixels.get(), seconds: round(nanoseconds.get() / 1e9d), millionPerSecond: round(pixels.get() * 1e3d / nanoseconds.get())]

    // As many objects as a slide has.
    def hierarchy = data.hierarchy
    def placer = new ObjectPlacer(hierarchy, ImagePlane.defaultPlane)
    placer.telling = telling
    int columns = (int) Math.ceil(Math.sqrt(OBJECTS * data.server.width / (double) data.server.height))
    double step = data.server.width / (double) columns
    def features = (0..<OBJECTS).collect { number ->
        double x = step * (number % columns), y = step * number.intdiv(columns), r = step * 0.4
        def ring = (0..24).collect { [Math.round(100 * (x + r + r * Math.cos(it * Math.PI / 12))) / 100d, Math.round(100 * (y + r + r * Math.sin(it * Math.PI / 12))) / 100d] }
        ring[24] = ring[0]
        Json.object(type: 'Feature', id: new UUID(9L, number).toString(), geometry: [type: 'Polygon', coordinates: [ring]],
            properties: [objectType: 'detection', classification: [name: 'bench', color: [200, 30, 40]],
                         measurements: ['SAMPO score': 0.5d + (number % 50) / 100d, 'SAMPO uncertainty': 0.5d, 'SAMPO area µm²': 30d, 'SAMPO round': 0]])
    }
    double adding = 0, undoing = 0
    def timed = { Closure body -> long start = System.nanoTime(); body.call(); return round((System.nanoTime() - start) / 1e9d) }
    figures.fxAdding = watched(16) { adding = timed { placer.apply(features, []) } }
    double looking = timed { 100.times { placer.objectAt(data.server.width * it / 100d, data.server.height / 2d) } }
    figures.fxUndoing = watched(5) { undoing = timed { placer.undo() } }
    figures.objects = [count: OBJECTS, addedInSeconds: adding, takenBackInSeconds: undoing, objectUnderAClickMs: round(10 * looking)]
    session.clearClicks(intent.id)
    workspace.deleteIntent(intent.id)
} finally {
    workspace.close()
}
figures.loadAverageAtTheEnd = load()
println new GsonBuilder().setPrettyPrinting().create().toJson(figures)
return
