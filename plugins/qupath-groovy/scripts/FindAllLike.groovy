/*
 * Finds all nuclei like the examples, in the open image or, from the command line, in the image given with -i.
 *
 * Examples are, in this order: points and small areas of the class that are annotations of the image; else what the class
 * has learned earlier, in any image. Where an annotation of another class is selected, its area is searched; else the whole image.
 *
 *   QuPath script FindAllLike.groovy -i slide.tif -a Lymphocyte
 *
 * Needs the SAMPO extension and, on this computer, the SAMPO server; it is started where none runs.
 */
import sampo.glue.Extents
import sampo.glue.Prompts
import sampo.glue.Workspace

// What to look for: the first argument, or this name.
def className = (binding.hasVariable('args') && args) ? args[0] : 'Lymphocyte'

def data = getCurrentImageData()
if (data == null) throw new IllegalStateException('No image is open: open one, or name it with -i')

def workspace = new Workspace()
workspace.log = { println it }
try {
    workspace.connect(true)
    def intent = workspace.intentFor(className)
    def session = workspace.session(data)
    def shown = data.hierarchy.annotationObjects.findAll { it.pathClass?.toString() == className }
    def prompts = new Prompts(intent.id).addObjects(shown)
    if (prompts.isEmpty() && intent.positives == 0)
        throw new IllegalStateException("\"$className\" has no example: put points of this class on a few nuclei (Points tool), then run again")

    def region = data.hierarchy.selectionModel.selectedObject
    def extent = region?.isAnnotation() && region.ROI.isArea() && !(region in shown)
        ? Extents.region(region.ROI, data.server.width, data.server.height) : Extents.image()
    int lastTenth = -1
    def found = session.search([intent], extent, [prompts], true) { text, percent, seconds ->
        int tenth = percent == null ? -1 : (int) (percent / 10)
        if (tenth > lastTenth) println "  $text (${percent as int} %)"
        lastTenth = Math.max(lastTenth, tenth)
    }
    found.warnings.each { println "note: $it" }
    if (found.failedTiles > 0) throw new IllegalStateException("${found.failedTiles} tiles could not be read")
    println "${found.total} $className found in ${String.format(Locale.ROOT, '%.1f', found.wholeSeconds)} s"
} finally {
    workspace.close()
}
return
