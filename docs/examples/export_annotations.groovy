// QuPath 0.5 to 0.7: writes the annotations of the open image beside the project, where `sampo batch project.qpproj --annotations
// CLASS` finds them. Automate > Show script editor > open this file > Run > Run for project.
import qupath.lib.io.PathIO

def folder = new File(buildFilePath(PROJECT_BASE_DIR, 'annotations'))
folder.mkdirs()
def name = getProjectEntry().getImageName().replaceAll('[\\\\/:]', '_')
def file = new File(folder, name + '.geojson')
exportObjectsToGeoJson(getAnnotationObjects(), file.getPath(), 'FEATURE_COLLECTION')
println 'wrote ' + file
return
