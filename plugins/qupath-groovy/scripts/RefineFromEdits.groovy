/*
 * Refines a class from what was corrected in the open image, without a click: detections that SAMPO found and that have
 * another class now are wrong, those that are locked or whose name is "ok" are right, and annotations with an area and the
 * class are objects drawn by hand.
 *
 *   QuPath script RefineFromEdits.groovy -p project.qpproj -i slide.tif -a Lymphocyte
 */
import sampo.glue.Extents
import sampo.glue.Features
import sampo.glue.Workspace

def className = (binding.hasVariable('args') && args) ? args[0] : 'Lymphocyte'

def data = getCurrentImageData()
if (data == null) throw new IllegalStateException('No image is open: open one, or name it with -i')

def workspace = new Workspace()
workspace.log = { println it }
try {
    workspace.connect(true)
    def intent = workspace.intentNamed(className)
    if (intent == null) throw new IllegalStateException("\"$className\" is not known: find objects of it first")
    def session = workspace.session(data)
    session.open()
    def ours = data.hierarchy.detectionObjects.findAll { it.measurements.containsKey(Features.SCORE) }
    def unjudged = { objects -> objects.findAll { session.verdict(intent.id, it.ID) == null } }
    def wrong = unjudged(ours.findAll { it.pathClass?.toString() != className })
    def right = unjudged(ours.findAll { it.pathClass?.toString() == className && (it.isLocked() || it.name == 'ok') })
    def drawn = unjudged(data.hierarchy.annotationObjects.findAll { it.pathClass?.toString() == className && it.ROI?.isArea() })
    println "${right.size()} right, ${wrong.size()} wrong, ${drawn.size()} drawn"
    if (right) session.judge(intent.id, right, true)
    if (wrong) session.rejectOnly(intent.id, wrong)
    drawn.each { session.addDrawn(intent.id, it) }
    def refined = session.refine(intent.id) { text, percent, seconds, metrics -> println "  $text" }
    println "${refined.verdict} (${String.format(Locale.ROOT, '%.1f', refined.seconds)} s)"
    if (refined.activated) {
        def found = session.search([workspace.intent(intent.id)], Extents.image())
        println "${found.total} $className after the refinement"
    }
} finally {
    workspace.close()
}
return
