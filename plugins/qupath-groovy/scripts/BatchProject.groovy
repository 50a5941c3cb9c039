/*
 * Runs classes that were clicked and refined earlier over every image of a project, with no click, and saves the objects in
 * the project. Images are opened one after another here, so do not use "Run for project": run the script once.
 *
 *   QuPath script BatchProject.groovy -p project.qpproj -a Lymphocyte -a Tumor
 *
 * A failing image does not stop the others, but makes the script end in an error at the end. QuPath itself would only log that
 * and end with 0, so without a window the script ends QuPath, with exit code 1.
 * The table with counts and densities is printed and written to sampo-summary.csv beside the project.
 */
import qupath.lib.scripting.QP
import sampo.glue.Extents
import sampo.glue.Workspace

def names = (binding.hasVariable('args') && args) ? args.toList() : ['Lymphocyte']

def project = getProject()
if (project == null) throw new IllegalStateException('No project is open: open one, or name it with -p')
// From the command line QuPath runs a script once for each image; the first run does the whole project.
def marker = 'sampo.batch.' + project.path
if (System.getProperty(marker) != null) return
System.setProperty(marker, 'done')

def workspace = new Workspace()
workspace.log = { println it }
def rows = []
try {
    try {
        workspace.connect(true)
    } catch (Exception failed) {
        if (getQuPath() != null) throw failed
        System.err.println(failed.message)
        System.exit(1)
    }
    def intents = names.collect { name ->
        def known = workspace.intentNamed(name)
        if (known != null && known.positives > 0) return known
        def said = "\"$name\" has no example: click a few nuclei in one image first"
        if (getQuPath() != null) throw new IllegalStateException(said)
        System.err.println(said)
        System.exit(1)
    }
    project.imageList.each { entry ->
        def row = [image: entry.imageName, counts: [:], area: Double.NaN, seconds: Double.NaN, error: '']
        rows << row
        try {
            def data = entry.readImageData()
            try {
                def session = workspace.session(data)
                def found = session.search(intents.collect { workspace.intent(it.id) }, Extents.image(), [], false)
                row.counts = found.counts
                row.seconds = found.wholeSeconds
                double microns = session.image.pixelSizeMicrons ?: Double.NaN
                row.area = data.server.width * microns * data.server.height * microns / 1e6d
                if (found.failedTiles > 0) row.error = "${found.failedTiles} tiles could not be read"
                entry.saveImageData(data)
                session.close()
            } finally {
                data.server.close()
            }
        } catch (Exception failed) {
            row.error = failed.message ?: failed.class.simpleName
        }
        println "${row.image}: ${row.error ?: names.collect { "${row.counts[it] ?: 0} $it" }.join(', ')}"
    }
} finally {
    workspace.close()
}

def quoted = { text -> text ==~ /[^",\n]*/ ? text : "\"${text.replace('"', '""')}\"" }
def number = { double value -> Double.isNaN(value) ? '' : String.format(Locale.ROOT, '%.4g', value) }
def header = ['image'] + names.collectMany { [it, "$it per mm2"] } + ['area mm2', 'seconds', 'error']
def table = rows.collect { row ->
    [row.image] + names.collectMany { name ->
        def count = row.error && !row.counts ? '' : (row.counts[name] ?: 0)
        [count as String, count == '' ? '' : number((count as double) / row.area)]
    } + [number(row.area), number(row.seconds), row.error]
}
def summary = new File(project.path.toFile().parentFile, 'sampo-summary.csv')
summary.setText(([header] + table).collect { line -> line.collect { quoted(it as String) }.join(',') }.join('\n') + '\n', 'UTF-8')
println "Summary: $summary"
def failed = rows.count { it.error }
if (failed > 0) {
    def said = "$failed of ${rows.size()} images failed: see $summary"
    if (getQuPath() != null) throw new IllegalStateException(said)
    System.err.println(said)
    System.exit(1)
}
return
