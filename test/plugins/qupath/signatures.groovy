import support.TestServer

import java.lang.reflect.Method
import java.lang.reflect.Modifier

import static support.Checks.end
import static support.Checks.test

// Holds every stand-in against QuPath's own class: each public method of it must be there, with the same types.

/** Hides QuPath, so that the stand-ins are what is loaded from the sources. */
class WithoutQuPath extends ClassLoader {
    WithoutQuPath(ClassLoader parent) { super(parent) }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) {
        if (name.startsWith('qupath.')) throw new ClassNotFoundException(name)
        return super.loadClass(name, resolve)
    }

    @Override
    URL getResource(String name) { return name.startsWith('qupath/') ? null : super.getResource(name) }

    @Override
    InputStream getResourceAsStream(String name) { return getResource(name)?.openStream() }
}

def folder = new File(TestServer.ROOT, 'test/plugins/qupath/standins')
def standins = new GroovyClassLoader(new WithoutQuPath(this.class.classLoader))
standins.addClasspath(folder.path)

boolean compared(Method method) {
    return Modifier.isPublic(method.modifiers) && !method.synthetic && !method.name.contains('$') &&
        !(method.name in ['getMetaClass', 'setMetaClass', 'invokeMethod', 'equals', 'hashCode', 'toString'])
}

List<String> missing(Class<?> standin, Class<?> real) {
    def signatures = { Class<?> of -> of.methods.collect { [it.name, it.parameterTypes*.name, it] } }
    def there = signatures(real)
    return standin.declaredMethods.findAll { compared(it) }.findAll { wanted ->
        def same = there.findAll { it[0] == wanted.name && it[1] == wanted.parameterTypes*.name }*.get(2)
        // Groovy's own setProperty returns nothing, whatever the real one returns.
        same.isEmpty() || wanted.returnType != void && !same.any { it.returnType.name == wanted.returnType.name || fits(wanted.returnType, it.returnType) }
    }.collect { "${it.returnType.simpleName} ${it.name}(${it.parameterTypes*.simpleName.join(', ')})" }
}

/** The real one may return something more special. */
boolean fits(Class<?> standin, Class<?> real) {
    try {
        return Class.forName(standin.name).isAssignableFrom(real)
    } catch (ClassNotFoundException primitive) {
        return false
    }
}

folder.eachFileRecurse { file ->
    if (!file.name.endsWith('.groovy')) return
    String name = folder.toPath().relativize(file.toPath()).toString().replace(File.separator, '.') - '.groovy'
    if (name.endsWith('.OutlineROI')) return // QuPath has many classes of shapes, all behind ROI
    test("signatures of $name") {
        def standin = standins.loadClass(name)
        def real = Class.forName(name)
        assert missing(standin, real) == []
        def constructors = { Class<?> of -> of.constructors*.parameterTypes.collect { it*.name } }
        def made = constructors(standin).findAll { !it.isEmpty() && it != ['java.util.Map'] }
        assert made - constructors(real) == []
        for (Class<?> inner : standin.declaredClasses.findAll { !it.synthetic && !it.name.contains('closure') })
            assert missing(inner, Class.forName(inner.name)).findAll { !it.contains('next(') && !it.contains('previous(') } == []
    }
}
end()
