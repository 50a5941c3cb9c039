package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.event.ActionEvent
import javafx.scene.control.Button
import javafx.scene.control.Tooltip
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.runtime.InvokerHelper
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.lib.common.GeneralTools
import qupath.lib.gui.QuPathGUI

import java.security.MessageDigest

/**
 * The first class of the plugin that runs, small so that it compiles at once: the button is there with QuPath's window, while
 * the rest is compiled behind it. Compiled classes are kept, so that only the first start after an update takes longer.
 */
@CompileStatic
class Starter {
    static final String BUTTON_ID = 'sampo'
    private static final String ENTRY = 'sampo/panel/Plugin.groovy'
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static boolean started = false
    private static volatile boolean wanted = false
    private static volatile Object plugin
    private static volatile String failure

    /** For the extension and for startup scripts; safe from any thread; a second call changes nothing. @param classes keeps compiled classes */
    static synchronized void start(Object qupath, File stateFolder, File classes) {
        if (started || qupath == null) return
        started = true
        QuPathGUI gui = (QuPathGUI) qupath
        Platform.runLater { addButton(gui) }
        ClassLoader sources = Starter.classLoader
        Thread thread = new Thread({ load(gui, sources, stateFolder, classes) } as Runnable, 'sampo-start')
        thread.daemon = true
        thread.start()
    }

    private static void addButton(QuPathGUI gui) {
        gui.installCommand('Extensions>SAMPO>Show the SAMPO panel', { show() } as Runnable)
        if (gui.toolBar.items.any { it.id == BUTTON_ID }) return
        Button button = new Button('SAMPO')
        button.id = BUTTON_ID
        button.focusTraversable = false
        button.tooltip = new Tooltip('Click a few nuclei, get all nuclei of that type')
        button.setOnAction { ActionEvent event -> show() }
        // Near the left: at the default window size the toolbar's right end is folded away.
        gui.toolBar.items.add(Math.min(2, gui.toolBar.items.size()), button)
    }

    private static void show() {
        if (plugin != null) plugin.class.getMethod('show').invoke(plugin)
        else if (failure != null) qupath.fx.dialogs.Dialogs.showErrorMessage('SAMPO', failure)
        else {
            wanted = true
            qupath.fx.dialogs.Dialogs.showInfoNotification('SAMPO', 'SAMPO is being prepared; this takes a few seconds after an update.')
        }
    }

    private static void load(QuPathGUI gui, ClassLoader sources, File stateFolder, File classes) {
        long start = System.nanoTime()
        try {
            ClassLoader compiled = compiled(sources, classes)
            warm(sources, compiled)
            Object made = compiled.loadClass('sampo.panel.Plugin').getMethod('install', Object, File).invoke(null, gui, stateFolder)
            LOGGER.info('SAMPO is ready after {} s', String.format(Locale.ROOT, '%.1f', (System.nanoTime() - start) / 1e9d))
            plugin = made
            if (wanted) Platform.runLater { show() }
        } catch (Throwable broken) {
            LOGGER.error('SAMPO could not be started', broken)
            Throwable cause = broken.cause ?: broken
            failure = "SAMPO could not be started in QuPath ${GeneralTools.version}: ${cause.message?.readLines()?.find()}\nThe log has more (View > Show log)." as String
        }
    }

    /** Reads every class here: met first on the thread of the windows, they would hold it up for half a second. */
    private static void warm(ClassLoader sources, ClassLoader compiled) {
        for (String name : sources.getResource('sampo/sources.txt').readLines('UTF-8')) {
            if (!name.endsWith('.groovy')) continue
            String className = name.substring(0, name.length() - '.groovy'.length()).replace('/', '.')
            if (className != Starter.name) InvokerHelper.getMetaClass(Class.forName(className, true, compiled))
        }
    }

    /** A loader of the compiled plugin, compiled where that has not been done for these sources, this QuPath and this Java. */
    private static ClassLoader compiled(ClassLoader sources, File classes) {
        File folder = new File(classes, key(sources))
        File mark = new File(folder, 'complete')
        if (!mark.isFile()) {
            try {
                compile(sources, folder)
                mark.text = 'complete'
            } catch (IOException unwritable) {
                LOGGER.warn('Compiled classes cannot be kept in {}: {}', folder, unwritable.message)
                return sources
            }
            forgetOthers(classes, folder)
        }
        return new ChildFirstLoader(folder.toURI().toURL(), sources)
    }

    private static void compile(ClassLoader sources, File folder) {
        folder.mkdirs()
        if (!folder.isDirectory()) throw new IOException('the folder cannot be made')
        CompilerConfiguration configuration = new CompilerConfiguration()
        configuration.targetDirectory = folder
        CompilationUnit unit = new CompilationUnit(configuration, null, new GroovyClassLoader(sources))
        unit.addSource(sources.getResource(ENTRY))
        unit.compile()
    }

    /** Differs where the compiled classes may: the sources, QuPath, Groovy, Java. */
    private static String key(ClassLoader sources) {
        MessageDigest digest = MessageDigest.getInstance('SHA-256')
        for (String name : sources.getResource('sampo/sources.txt').readLines('UTF-8'))
            digest.update(sources.getResource(name).bytes)
        String versions = "${GeneralTools.version} ${GroovySystem.version} ${System.getProperty('java.version')}"
        digest.update(versions.getBytes('UTF-8'))
        return digest.digest().encodeHex().toString().substring(0, 24)
    }

    private static void forgetOthers(File classes, File keep) {
        for (File other : classes.listFiles() ?: new File[0])
            if (other.isDirectory() && other != keep && other.name ==~ /[0-9a-f]{24}/) other.deleteDir()
    }

    /** Finds the plugin's classes in its folder before a parent compiles them from source. */
    @CompileStatic
    private static class ChildFirstLoader extends URLClassLoader {
        ChildFirstLoader(URL folder, ClassLoader parent) { super([folder] as URL[], parent) }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) {
            if (name.startsWith('sampo.')) {
                synchronized (getClassLoadingLock(name)) {
                    Class<?> known = findLoadedClass(name)
                    if (known != null) return known
                    try {
                        return findClass(name)
                    } catch (ClassNotFoundException ignored) {
                        // not one of ours
                    }
                }
            }
            return super.loadClass(name, resolve)
        }
    }
}
