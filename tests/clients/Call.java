import java.io.FileInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.StringJoiner;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Reads once from every service with its generated client, and prints the statuses as JSON. */
public class Call {
    /** Arguments: the ingress, an access token, the file of the authority, then service:Api:operation of each read. */
    public static void main(String[] arguments) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder().sslContext(trusting(arguments[2]));
        StringJoiner found = new StringJoiner(", ", "{", "}");
        for (String read : Arrays.copyOfRange(arguments, 3, arguments.length)) {
            String[] parts = read.split(":");
            int status = status("castor." + parts[0], parts[1], parts[2], builder, arguments);
            found.add("\"" + parts[0] + "\": " + status);
        }
        System.out.println(found);
    }

    private static int status(String home, String api, String operation, HttpClient.Builder builder, String[] arguments)
            throws Exception {
        Class<?> kind = Class.forName(home + ".ApiClient");
        Object client = kind.getConstructor().newInstance();
        Consumer<HttpRequest.Builder> signed = request -> request.header("Authorization", "Bearer " + arguments[1]);
        kind.getMethod("setHttpClientBuilder", HttpClient.Builder.class).invoke(client, builder);
        kind.getMethod("updateBaseUri", String.class).invoke(client, arguments[0]);
        kind.getMethod("setRequestInterceptor", Consumer.class).invoke(client, signed);
        Object reader = Class.forName(home + ".api." + api).getConstructor(kind).newInstance(client);
        // Optional parameters are positional and may be null; of the overloads the shortest has them alone.
        Method method = Arrays.stream(reader.getClass().getMethods())
                .filter(each -> each.getName().equals(operation + "WithHttpInfo"))
                .min(Comparator.comparing(Method::getParameterCount)).orElseThrow();
        try {
            Object answer = method.invoke(reader, new Object[method.getParameterCount()]);
            return (int) answer.getClass().getMethod("getStatusCode").invoke(answer);
        } catch (InvocationTargetException refused) {
            Throwable cause = refused.getCause();
            int code = (int) cause.getClass().getMethod("getCode").invoke(cause);
            if (code == 0) throw refused;
            return code;
        }
    }

    private static SSLContext trusting(String file) throws Exception {
        KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
        authorities.load(null);
        try (InputStream text = new FileInputStream(file)) {
            authorities.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(text));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
