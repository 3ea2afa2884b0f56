package hilum.validate;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r5.model.StructureDefinition;

/**
 * Validates every output of the first-party plugins with the official FHIR R4 validator.
 *
 * <p>First the validator itself is tried: each file of the folder of wrong resources has, beside it,
 * the words of the error that it must cause ({@code x.json}, {@code x.expected}). A validator that
 * accepts one of them proves nothing about the outputs.
 *
 * <p>Nothing is fetched: profiles and code systems are those of FHIR R4 itself. A code system that R4
 * does not hold is a warning, and so is a value set whose code systems are not here; a wrong code of a
 * code system that is here is an error. Warnings are counted, and listed in the report.
 *
 * <p>One kind of sentence is set aside: the terminology part calls a code that is not in a value set an
 * error also where R4 merely recommends that value set. The validator itself then says "is recommended to
 * come from this value set" about the same place, and that is what counts.
 *
 * <p>Extensions {@code http://hl7.org/fhir/5.0/StructureDefinition/extension-TYPE.ELEMENT} bring an element
 * of R5 to R4. The validator would fetch their list and, offline, calls the version invalid. Here R5's own
 * definitions are asked in its place: the element must be there.
 *
 * <p>Exits 1 if a wrong resource was accepted, if there is no output, or if an output has an error.
 */
public final class Validate {
  /** The way into a resource, as the validator writes it: its type and id stand in a comment. */
  private static final Pattern RESOURCE = Pattern.compile("\\.(?:resource|contained\\[\\d+\\])/\\*(\\w+)/[^*]*\\*/");

  private static final Pattern REFERENCE = Pattern.compile("\"reference\"\\s*:\\s*\"(urn:[^\"]*)\"");

  private static final Pattern FULL_URL = Pattern.compile("\"fullUrl\"\\s*:\\s*\"([^\"]*)\"");

  private static final Pattern INDEX = Pattern.compile("\\[\\d+\\]");

  private static final Pattern OF_R5 =
      Pattern.compile(
          "^Extension url 'http://hl7\\.org/fhir/5\\.0/StructureDefinition/extension-(\\w+)((?:\\.\\w+)+)'"
              + " is not valid \\(invalid Version '5\\.0'\\)$");

  private final FhirValidator validator;

  private final IValidationSupport r5 = new DefaultProfileValidationSupport(FhirContext.forR5());

  private Validate(FhirContext context) {
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    FhirInstanceValidator official =
        new FhirInstanceValidator(
            new ValidationSupportChain(
                new DefaultProfileValidationSupport(context),
                new CommonCodeSystemsTerminologyService(context),
                new InMemoryTerminologyServerValidationSupport(context),
                new SnapshotGeneratingValidationSupport(context),
                unknown));
    official.setErrorForUnknownProfiles(true);
    // Extensions of the guide are defined outside of R4, so their definitions are not here.
    official.setAnyExtensionsAllowed(true);
    validator = context.newValidator();
    validator.setValidateAgainstStandardSchema(false);
    validator.setValidateAgainstStandardSchematron(false);
    validator.registerValidatorModule(official);
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 3) {
      System.err.println("usage: Validate OUTPUTS WRONG REPORT");
      System.exit(2);
    }
    Validate validate = new Validate(FhirContext.forR4());
    int accepted = validate.wrong(Path.of(arguments[1]));
    if (0 < accepted) {
      System.exit(1);
    }
    System.exit(validate.outputs(Path.of(arguments[0]), Path.of(arguments[2])) ? 0 : 1);
  }

  /** How many of the wrong resources were accepted, or rejected for another reason. */
  private int wrong(Path folder) throws IOException {
    List<Path> files = documents(folder);
    int accepted = files.isEmpty() ? 1 : 0;
    for (Path file : files) {
      String expected = Files.readString(sibling(file, ".expected")).strip();
      List<SingleValidationMessage> errors = errors(messages(file));
      if (errors.stream().noneMatch(it -> it.getMessage().contains(expected))) {
        accepted += 1;
        System.out.println("validate: " + file + " must be rejected with \"" + expected + "\"; found " + texts(errors));
      }
    }
    System.out.println("validate: " + (files.size() - accepted) + " of " + files.size() + " wrong resources rejected");
    return accepted;
  }

  /** Whether all outputs are without an error. */
  private boolean outputs(Path folder, Path report) throws IOException {
    List<Path> files = documents(folder);
    Map<String, Found> found = new TreeMap<>();
    int failed = 0;
    for (Path file : files) {
      boolean isWrong = false;
      for (SingleValidationMessage message : messages(file)) {
        boolean isError = isError(message);
        isWrong |= isError;
        if (isError || message.getSeverity() == ResultSeverityEnum.WARNING) {
          String key = place(message) + "\n" + message.getMessage().replaceAll("\\s+", " ");
          found.computeIfAbsent(key, it -> new Found(isError)).in(folder.relativize(file).toString());
        }
      }
      failed += isWrong ? 1 : 0;
    }
    StringBuilder errors = new StringBuilder();
    StringBuilder warnings = new StringBuilder();
    found.forEach((key, it) -> (it.isError ? errors : warnings).append(it.line(key)));
    Files.writeString(report, "ERRORS\n\n" + errors + "\nWARNINGS\n\n" + warnings);
    System.out.print(errors);
    System.out.println("validate: the report with the warnings is " + report);
    // The plain closing line that a reader of logs knows.
    System.out.println((files.size() - failed) + " passed, " + failed + " failed");
    return !files.isEmpty() && failed == 0;
  }

  private List<SingleValidationMessage> messages(Path file) throws IOException {
    String text = Files.readString(file);
    List<SingleValidationMessage> all = new ArrayList<>(validator.validateWithResult(text).getMessages());
    all.addAll(dangling(text));
    Set<String> recommended = new HashSet<>();
    for (SingleValidationMessage message : all) {
      if (message.getSeverity() == ResultSeverityEnum.INFORMATION
          && message.getMessage().contains("is recommended to come from this value set")) {
        recommended.add(message.getLocationString());
      }
    }
    return all.stream()
        .filter(it -> !(isOutside(it) && recommended.contains(it.getLocationString())))
        .filter(it -> !isOfR5(it))
        .toList();
  }

  /** Whether it complains about an extension for an element that R5 has. */
  private boolean isOfR5(SingleValidationMessage message) {
    Matcher matcher = OF_R5.matcher(message.getMessage());
    if (!matcher.find()) {
      return false;
    }
    IBaseResource found = r5.fetchStructureDefinition("http://hl7.org/fhir/StructureDefinition/" + matcher.group(1));
    return found instanceof StructureDefinition definition
        && definition.getSnapshot().getElement().stream()
            .anyMatch(it -> it.getPath().equals(matcher.group(1) + matcher.group(2)));
  }

  /**
   * References to entries that the Bundle does not have, and entries of one name. The official
   * validator says nothing about the first.
   */
  private static List<SingleValidationMessage> dangling(String text) {
    List<SingleValidationMessage> found = new ArrayList<>();
    Set<String> entries = new HashSet<>();
    for (Matcher it = FULL_URL.matcher(text); it.find(); ) {
      if (!entries.add(it.group(1))) {
        found.add(error("Bundle.entry.fullUrl", "two entries are called " + it.group(1)));
      }
    }
    for (Matcher it = REFERENCE.matcher(text); it.find(); ) {
      if (!entries.contains(it.group(1))) {
        found.add(error("Bundle.entry.reference", "no entry is called " + it.group(1)));
      }
    }
    return found;
  }

  private static SingleValidationMessage error(String location, String text) {
    SingleValidationMessage message = new SingleValidationMessage();
    message.setSeverity(ResultSeverityEnum.ERROR);
    message.setLocationString(location);
    message.setMessage(text);
    return message;
  }

  /** Whether it says that a code is outside of a value set; not that its code system lacks it. */
  private static boolean isOutside(SingleValidationMessage message) {
    String text = message.getMessage();
    return "Terminology_PassThrough_TX_Message".equals(message.getMessageId())
        && (text.contains("is not in valueset:") || text.startsWith("Inappropriate CodeSystem URL"));
  }

  private static List<SingleValidationMessage> errors(List<SingleValidationMessage> all) {
    return all.stream().filter(Validate::isError).toList();
  }

  private static boolean isError(SingleValidationMessage message) {
    return message.getSeverity() == ResultSeverityEnum.ERROR || message.getSeverity() == ResultSeverityEnum.FATAL;
  }

  private static List<String> texts(List<SingleValidationMessage> messages) {
    return messages.stream().map(SingleValidationMessage::getMessage).toList();
  }

  /** {@code Patient.contact.name}: the innermost resource, and the element in it. */
  private static String place(SingleValidationMessage message) {
    String location = message.getLocationString() == null ? "" : message.getLocationString();
    Matcher matcher = RESOURCE.matcher(location);
    String place = location;
    while (matcher.find()) {
      place = matcher.group(1) + location.substring(matcher.end());
    }
    return INDEX.matcher(place).replaceAll("");
  }

  private static List<Path> documents(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return new ArrayList<>(all.filter(it -> it.toString().endsWith(".json")).sorted().toList());
    }
  }

  private static Path sibling(Path file, String ending) {
    String name = file.getFileName().toString();
    return file.resolveSibling(name.substring(0, name.length() - ".json".length()) + ending);
  }

  /** One sentence of the validator about one element, and the outputs that have it. */
  private static final class Found {
    private static final int SHOWN_MAX = 3;
    private final boolean isError;
    private final List<String> files = new ArrayList<>();
    private int count;

    private Found(boolean isError) {
      this.isError = isError;
    }

    private void in(String file) {
      count += 1;
      if (!files.contains(file)) {
        files.add(file);
      }
    }

    private String line(String key) {
      String shown = String.join(", ", files.subList(0, Math.min(SHOWN_MAX, files.size())));
      String more = SHOWN_MAX < files.size() ? " and " + (files.size() - SHOWN_MAX) + " more" : "";
      return key.replaceFirst("\n", ": ") + "\n    " + count + " times, in " + shown + more + "\n";
    }
  }
}
